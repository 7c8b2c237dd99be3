"""What was used and what it cost, by any group, and its sums beside the ledger's.

Both books are read at one moment. A row of usage says which rows of the ledger it was charged to; so each request can
be looked up in the ledger's own sum exactly once, whatever number of budgets it was held on.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from clavero.control.commit import Desk
from clavero.domain.refusals import InvalidValue
from clavero.ports.store import Reading

GROUPS = (
    "service", "model", "feature", "key", "owner", "team", "project", "environment", "provider", "endpoint", "day",
    "status",
)  # fmt: skip
DAY_S = 86_400
HOUR_S = 3_600
MOST_ROWS = 10_000
_HOURS = 24
_LAST_DAY = 10**6  # days since 1970 that a date can say

Row = dict[str, Any]


class Difference(Struct, frozen=True):
    """A row of the ledger that does not say what usage says was charged to it, nano-USD."""

    budget: str
    period: int
    usage_n: int
    ledger_n: int


class Report(Struct, frozen=True, kw_only=True):
    """Usage by groups within whole UTC days or hours, `since_s` included and `until_s` not; dearest first.

    Each row has its groups, `calls errors input cached cache_write output reasoning cost_n estimated_n`, and `key_name`
    beside `key`. `charged_n` is the cost of what was held on budgets, `ledger_n` what the ledger has posted for it.
    """

    by: list[str]
    since_s: int
    until_s: int
    rows: list[Row]
    total: Row
    charged_n: int
    ledger_n: int
    unbudgeted_n: int  # the cost of what no budget applied to
    differences: list[Difference]
    more: bool = False  # there are more rows than were asked for, each as cheap as the last or cheaper

    @property
    def equal(self) -> bool:
        """Whether both books say the same, to the nano-dollar."""
        return self.charged_n == self.ledger_n and not self.differences


async def report(
    desk: Desk, by: Sequence[str], since_s: int, until_s: int, unit_s: int = DAY_S, most: int = MOST_ROWS
) -> Report:
    """Usage by some of GROUPS, all together where none is named; whole days, or hours where `unit_s` is HOUR_S."""
    groups = _checked(by)
    hours = range(since_s // unit_s * unit_s // HOUR_S, -(-until_s // unit_s) * unit_s // HOUR_S)
    if hours.start < 0 or not hours or hours.stop > _LAST_DAY * _HOURS:
        raise InvalidValue("since", "a day before until")
    async with desk.store.read() as look:
        hours = await _kept(look, hours)
        total = (await look.rows("usage_total", **_bounds(hours)))[0]
        rows = await sums_by(look, groups, hours, most + 1) if groups else [total]
        names = await _key_names(look, rows) if "key" in groups else {}
        differences, short_n = await _differences(look, hours)
    unbudgeted, charged = int(total.pop("unbudgeted_n")), int(total.pop("charged_n"))
    return Report(
        by=groups,
        since_s=hours.start * HOUR_S,
        until_s=hours.stop * HOUR_S,
        rows=[_line(row, names) for row in rows[:most]],
        more=len(rows) > most,
        total=total,
        charged_n=int(total["cost_n"]) - unbudgeted,
        ledger_n=charged - short_n,
        unbudgeted_n=unbudgeted,
        differences=differences,
    )


async def sums_by(look: Reading, groups: Sequence[str], hours: range, most: int = MOST_ROWS) -> list[Row]:
    """The sums of some hours since 1970 by some of GROUPS, dearest first, at most so many."""
    return await look.rows(f"usage_by:{','.join(groups)}", most=most, **_bounds(hours))


def _bounds(hours: range) -> dict[str, int]:
    """The whole days of a time, and the hours before the first and after the last of them."""
    first, end = -(-hours.start // _HOURS), hours.stop // _HOURS
    if first >= end:  # no whole day: hours alone
        first, end = 0, 0
        head, tail = hours.stop, hours.stop
    else:
        head, tail = first * _HOURS, end * _HOURS
    return {
        "since": hours.start, "head": head, "first_day": first, "end_day": end, "tail": tail, "until": hours.stop,
    }  # fmt: skip


async def _kept(look: Reading, hours: range) -> range:
    """The part of a time whose sums are kept; `InvalidValue` for parts of days whose hours are not."""
    facts = {row["name"]: row["value"] for row in await look.rows("meta")}
    first, by_hour = (int(facts.get(name, "0")) for name in ("days_from", "hours_from"))
    hours = range(max(hours.start, min(first * _HOURS, hours.stop - 1)), hours.stop)
    for end, field in ((hours.start, "since"), (hours.stop, "until")):
        if end % _HOURS and end // _HOURS < by_hour:
            raise InvalidValue(field, f"a whole day: hours are kept from {_date(by_hour)} on", _date(end // _HOURS))
    return hours


async def _differences(look: Reading, hours: range) -> tuple[list[Difference], int]:
    """Rows of the ledger that these days' requests were charged to and that say otherwise, and what is short in sum.

    A request counts in the sum once, on the row that it names first.
    """
    days = {"first": hours.start // _HOURS, "end": -(-hours.stop // _HOURS)}
    [begun] = await look.rows("charges_begin", **days)
    if begun["period_start"] is None:
        return [], 0
    # A request may arrive on the day before the window that its hold pays.
    begin = min(int(begun["period_start"]) // DAY_S, days["first"]) - 1
    rows = await look.rows("charge_differences", begin=begin, **days)
    found = [Difference(row["budget_id"], row["period_start"], row["charged_n"], row["posted"]) for row in rows]
    return found, sum(row["charged_n"] - row["posted"] for row in rows if row["first_n"])


async def _key_names(look: Reading, rows: Sequence[Row]) -> dict[str, str]:
    ids = json.dumps(sorted({row["key"] for row in rows}))
    return {row["id"]: row["name"] for row in await look.rows("key_names_of", ids=ids)}


def _checked(by: Sequence[str]) -> list[str]:
    for group in by:
        if group not in GROUPS:
            raise InvalidValue("by", f"some of {', '.join(GROUPS)}", "service")
    return list(dict.fromkeys(by))


def _date(day: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()


def _line(row: Row, names: Mapping[str, str]) -> Row:
    line: Row = dict(row)
    if "day" in line:
        line["day"] = _date(line["day"])
    return {**line, "key_name": names.get(line["key"], "")} if "key" in line else line
