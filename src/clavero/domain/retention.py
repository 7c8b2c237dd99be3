"""What is forgotten, and when: records first, their sums later, the ledger last.

Everything is told in UTC days that are kept whole; 0 days is for ever. Sums by hour and minute go with the records. The
ledger is kept at least as long as sums by day, so that a report never says what nothing can be compared with.
"""

from enum import StrEnum

from msgspec import Struct

_DAY_S = 86_400
_LONGEST_WINDOW_DAYS = 31
_CHANGE_DAYS = 7  # a worker that was away for longer reads everything again


class Kept(StrEnum):
    """What is kept for a time of its own."""

    RECORDS = "records"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    LEDGER = "ledger"
    CHANGES = "changes"


class Dropped(Struct, frozen=True):
    """What one turn of forgetting did: rows, or days that went whole, and nanoseconds that others could not write."""

    rows: int
    held_ns: int


class Behind(Exception):
    """Changes that a worker has not heard of are forgotten: it has to load everything."""


class Retention(Struct, frozen=True, kw_only=True):
    """How many days each is kept; 0 is for ever."""

    records_days: int = 90
    rollups_days: int = 1100
    ledger_days: int = 1100

    def first_day(self, kept: Kept, now_s: int) -> int | None:
        """The first UTC day since 1970 that is kept; None where everything is."""
        days = self._days(kept)
        return max(0, now_s // _DAY_S - days) if days else None

    def _days(self, kept: Kept) -> int:
        match kept:
            case Kept.RECORDS | Kept.MINUTES | Kept.HOURS:
                return self.records_days
            case Kept.DAYS:
                return self._rollups
            case Kept.LEDGER:
                both = self._rollups and self.ledger_days
                return max(self._rollups, self.ledger_days) + _LONGEST_WINDOW_DAYS if both else 0
            case Kept.CHANGES:
                return _CHANGE_DAYS

    @property
    def _rollups(self) -> int:
        """Sums by day are kept at least as long as the records that they are made of."""
        return max(self.rollups_days, self.records_days) if self.rollups_days and self.records_days else 0
