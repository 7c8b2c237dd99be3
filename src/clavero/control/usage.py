"""What was used and what it cost: by any group, in one request, and over time; its sums beside the ledger's.

Both books are read at one moment. A row of usage says which rows of the ledger it was charged to; so each request can
be looked up in the ledger's own sum exactly once, whatever number of budgets it was held on.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from clavero.control.commit import Desk
from clavero.domain.budgets import Window, period_end
from clavero.domain.refusals import InvalidValue, NotFound
from clavero.ports import Reading

GROUPS = (
    "service", "model", "feature", "key", "owner", "team", "project", "environment", "provider", "endpoint", "day",
    "status",
)  # fmt: skip
_DAY_S = 86_400
_MOST_ROWS = 500
_MOST_SLOTS = 10_000
_FLAGS = ("final", "streamed", "estimated")
_END_NS = 2**62
_LAST_DAY = 10**6  # days since 1970 that a date can say

Row = dict[str, Any]


class Difference(Struct, frozen=True):
    """A row of the ledger that does not say what usage says was charged to it, nano-USD."""

    budget: str
    period: int
    usage_n: int
    ledger_n: int


class Report(Struct, frozen=True, kw_only=True):
    """Usage by groups within whole UTC days, `since_s` included and `until_s` not; dearest first.

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

    @property
    def equal(self) -> bool:
        """Whether both books say the same, to the nano-dollar."""
        return self.charged_n == self.ledger_n and not self.differences


class Exchange(Struct, frozen=True):
    """One request in full: its closing row, all rows that it has (each leg that took its own hold), and their cost."""

    last: Row
    legs: list[Row]
    cost_n: int


class Slot(Struct, frozen=True):
    """One stretch of time: requests, failures (5xx) and refusals among them, spend; 95th percentiles, microseconds."""

    at_ns: int
    requests: int = 0
    errors: int = 0
    refused: int = 0
    cost_n: int = 0
    p95_us: int = 0
    p95_overhead_us: int = 0


async def report(desk: Desk, by: Sequence[str], since_s: int, until_s: int) -> Report:
    """Usage by some of GROUPS, all together where none is named; days are whole and UTC."""
    groups = _checked(by)
    days = {"since": since_s // _DAY_S, "until": -(-until_s // _DAY_S)}
    if not 0 <= days["since"] < days["until"] <= _LAST_DAY:
        raise InvalidValue("since", "a day before until")
    async with desk.store.read() as look:
        total = (await look.rows("usage_total", **days))[0]
        rows = await look.rows(f"usage_by:{','.join(groups)}", **days) if groups else [total]
        names = {row["id"]: row["name"] for row in await look.rows("used_key_names", **days)} if "key" in groups else {}
        unbudgeted = int((await look.rows("usage_unbudgeted", **days))[0]["cost_n"])
        ledger_n, differences = await _ledger_says(look, days)
    return Report(
        by=groups,
        since_s=days["since"] * _DAY_S,
        until_s=days["until"] * _DAY_S,
        rows=[_line(row, names) for row in rows],
        total=_line(total, {}),
        charged_n=int(total["cost_n"]) - unbudgeted,
        ledger_n=ledger_n,
        unbudgeted_n=unbudgeted,
        differences=differences,
    )


async def trace(desk: Desk, request_id: str) -> Exchange:
    """Everything that is kept of one request; `NotFound` where nothing is, or not yet."""
    async with desk.store.read() as look:
        rows = await look.rows("trace", request=request_id)
    if not rows:
        raise NotFound("request", request_id)
    legs = [_read(row) for row in rows]
    return Exchange(legs[-1], legs, sum(leg["cost_n"] for leg in legs))


async def latest(  # noqa: PLR0913 - one parameter for each filter
    desk: Desk, *, key: str = "", service: str = "", model: str = "", status: int = 0, code: str = "",
    before_ns: int = _END_NS, most: int = 50,
) -> list[Row]:  # fmt: skip
    """The newest requests that pass the filters (`key` is a kid), newest first; at most 500."""
    async with desk.store.read() as look:
        rows = await look.rows(
            "latest", key=key, service=service, model=model, status=status, code=code, before=before_ns,
            most=max(0, min(most, _MOST_ROWS)),
        )  # fmt: skip
    return [_read(row) for row in rows]


async def timeline(desk: Desk, since_ns: int, bucket_ns: int) -> list[Slot]:
    """Stretches of `bucket_ns` from the one that `since_ns` lies in to now, empty ones included."""
    now_ns = desk.clock.wall_ns()
    if bucket_ns <= 0 or (now_ns - since_ns) // bucket_ns > _MOST_SLOTS:
        raise InvalidValue("bucket", f"so long that there are at most {_MOST_SLOTS:,}")
    first = since_ns // bucket_ns * bucket_ns
    async with desk.store.read() as look:
        rows = await look.rows("timeline", since=first, bucket=bucket_ns, day=first // (_DAY_S * 10**9))
    slots = {int(row["slot_ns"]): Slot(*(int(value) for value in row.values())) for row in rows}
    return [slots.get(at, Slot(at)) for at in range(first, now_ns + 1, bucket_ns)]


# --- the ledger's side


async def _ledger_says(look: Reading, days: Mapping[str, int]) -> tuple[int, list[Difference]]:
    """What the ledger posted for the requests of these days, and its rows that usage contradicts.

    A row of the ledger may cover more than these days (a month, for ever), so usage is read from its beginning: what
    the row posted, less what other requests were charged on it, is what these were.
    """
    rows = await look.rows("ledger_rows", since=0)
    posted = {(row["budget_id"], row["period_start"]): int(row["posted"]) for row in rows}
    # A hold at midnight pays the window of its hold, though its request may have arrived on the day before.
    beginning = min(
        (start // _DAY_S for budget, start in posted if _covers(budget, start, days)), default=days["since"]
    )
    whole = 0
    differences = []
    for row in await look.rows("charges", from_day=min(beginning, days["since"]) - 1, **days):
        if not row["within_n"]:
            continue
        charged, within = int(row["charged_n"]), int(row["within_n"])
        ledger = posted.get((row["budget_id"], row["period_start"]), 0)
        whole += ledger - charged + within
        if ledger != charged:
            differences.append(Difference(row["budget_id"], row["period_start"], charged, ledger))
    return whole, differences


def _covers(budget: str, start: int, days: Mapping[str, int]) -> bool:
    """Whether a row's window has any of these days, or one beside them."""
    window = budget.rpartition(":")[2]
    end = period_end(Window(window), start) if window in set(Window) else None
    return start // _DAY_S <= days["until"] and (end is None or end // _DAY_S >= days["since"])


# --- rows


def _checked(by: Sequence[str]) -> list[str]:
    for group in by:
        if group not in GROUPS:
            raise InvalidValue("by", f"some of {', '.join(GROUPS)}", "service")
    return list(dict.fromkeys(by))


def _line(row: Row, names: Mapping[str, str]) -> Row:
    line: Row = {name: 0 if value is None else value for name, value in row.items()}
    if "day" in line:
        line["day"] = date.fromordinal(date(1970, 1, 1).toordinal() + line["day"]).isoformat()
    return {**line, "key_name": names.get(line["key"], "")} if "key" in line else line


def _read(row: Row) -> Row:
    at = datetime.fromtimestamp(row["at_ns"] // 10**9, UTC)
    return {
        **row,
        **{flag: bool(row[flag]) for flag in _FLAGS},
        "at": at.isoformat().replace("+00:00", "Z"),
        "attempts": msgspec.json.decode(row["attempts"] or "[]"),
        "amounts": msgspec.json.decode(row["amounts"] or "[]"),
    }
