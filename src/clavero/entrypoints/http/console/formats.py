"""Figures as people read them, by Babel for the language; money from integers, times in UTC.

Tables name the unit in their header, so `money` and `count` give bare figures and `usd` the one with its ISO code.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from babel.dates import format_datetime
from babel.numbers import format_decimal

from clavero.domain.catalogue import Language
from clavero.domain.money import NANO
from clavero.domain.units import format_duration

NOTHING = "\u2013"
_NO_BREAK = "\u00a0"
_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_LONG = {"en": "EEEE d MMMM y, HH:mm 'UTC'", "es": "EEEE d 'de' MMMM 'de' y, HH:mm 'UTC'"}


class Formats:
    """How one reader sees figures, as of one instant (UTC nanoseconds)."""

    def __init__(self, language: Language, now_ns: int) -> None:
        self.language = language
        self.now_ns = now_ns

    def count(self, number: int) -> str:
        """A whole number with its thousands."""
        return self._decimal(Decimal(number), 0)

    def money(self, amount: int, places: int = 2) -> str:
        """Nano-USD as a figure without unit: 2 places, 6 for one exchange."""
        return self._decimal(Decimal(amount) / NANO, places)

    def places(self, amounts: Iterable[int]) -> int:
        """How many decimals a column of sums needs: 2, more while even the largest is less than ten cents."""
        largest = max(map(abs, amounts), default=0)
        return 2 if not largest or largest >= NANO // 10 else 4 if largest >= NANO // 1000 else 6

    def usd(self, amount: int, places: int = 2) -> str:
        """Nano-USD with the ISO code: `1,284.60 USD`, `1.284,60 USD`."""
        return f"{self.money(amount, places)}{_NO_BREAK}USD"

    def limit(self, amount: int) -> str:
        """A limit without needless cents: `2,000`, `10.50`."""
        return self.money(amount, 0 if amount % NANO == 0 else 2)

    def percent(self, share: float, places: int = 0) -> str:
        """A share of one: `64%`, `64 %`."""
        space = _NO_BREAK if self.language == "es" else ""
        return f"{self.number(share * 100, places)}{space}%"

    def number(self, value: float, places: int) -> str:
        """A figure with so many decimals."""
        return self._decimal(Decimal(str(value)), places)

    def lasting(self, microseconds: int) -> tuple[str, str]:
        """A length of time as figure and unit: `1.1 ms`, `640 ms`, `2.84 s`."""
        milliseconds = microseconds / 1000
        if milliseconds >= 1000:
            return self.number(milliseconds / 1000, 2), "s"
        return self.number(milliseconds, 0 if milliseconds >= 10 else 1), "ms"

    def took(self, microseconds: int) -> str:
        """A length of time in one piece."""
        return _NO_BREAK.join(self.lasting(microseconds))

    def seconds(self, microseconds: int) -> str:
        """Seconds for a column whose header names them."""
        return self.number(microseconds / 1e6, 2)

    def span(self, at_ns: int) -> str:
        """How far away an instant is, before or after: `2 s`, `6 min`, `41 d`; a dash for none."""
        return format_duration(abs(self.now_ns - at_ns) / _SECOND).replace(" ", _NO_BREAK) if at_ns else NOTHING

    def moment(self, at_ns: int) -> str:
        """An instant in full: `18 Nov 2026, 14:20 UTC`."""
        return self._date(at_ns, "d MMM y, HH:mm 'UTC'") if at_ns else NOTHING

    def minute(self, at_ns: int) -> str:
        """An instant for a column whose header names the zone: `18 Nov 2026, 14:20`."""
        return self._date(at_ns, "d MMM y, HH:mm") if at_ns else NOTHING

    def nearly(self, at_ns: int) -> str:
        """An instant as lists show it: the time within a day of now, else the date."""
        if not at_ns:
            return NOTHING
        return self._date(at_ns, "HH:mm") if abs(at_ns - self.now_ns) < _DAY else self.day(at_ns)

    def day(self, at_ns: int) -> str:
        """A date: `12 Mar 2026`."""
        return self._date(at_ns, "d MMM y") if at_ns else NOTHING

    def short_day(self, at_ns: int) -> str:
        """A date of this year, for a tick: `12 Mar`."""
        return self._date(at_ns, "d MMM")

    def iso_day(self, at_ns: int) -> str:
        """A date as forms take it: `2026-03-12`."""
        return _instant(at_ns).date().isoformat() if at_ns else ""

    def month(self, at_ns: int) -> str:
        """A month: `Mar 2026`."""
        return self._date(at_ns, "MMM y")

    def clock(self, at_ns: int) -> str:
        """A time of day with tenths: `14:20:07.8`."""
        tenth = at_ns // (_SECOND // 10) % 10
        return f"{self._date(at_ns, 'HH:mm:ss')}.{tenth}"

    def hour(self, at_ns: int) -> str:
        """A time of day: `14:20`."""
        return self._date(at_ns, "HH:mm")

    def today(self) -> str:
        """Now, in full: `Wednesday 18 November 2026, 14:20 UTC`."""
        text = self._date(self.now_ns, _LONG[self.language])
        return text[0].upper() + text[1:]

    def _decimal(self, value: Decimal, places: int) -> str:
        exact = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return format_decimal(exact, pattern, self.language, decimal_quantization=False).replace("-", "\u2212")

    def _date(self, at_ns: int, pattern: str) -> str:
        return format_datetime(_instant(at_ns), pattern, UTC, self.language)


def _instant(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // _SECOND, UTC)
