"""Requests as they were recorded: one in full, and the newest that pass some filters.

Rows are many and filters rare, so the roll-ups are asked first on which days, and in which of their hours, something
passes; only these hours are read.
"""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from clavero.control.commit import Desk
from clavero.domain.refusals import NotFound, RecordDeleted
from clavero.domain.requests import arrived_s
from clavero.ports.store import Reading

Row = dict[str, Any]

_DAY_S = 86_400
_DAY_NS = _DAY_S * 10**9
_HOUR_NS = 3600 * 10**9
_HOURS = 24
_MOST_ROWS = 500
_MOST_DAYS = 64  # asked for at once; the first time one, then ever more
_FLAGS = ("final", "streamed", "estimated")
END_NS = 2**62


class Exchange(Struct, frozen=True):
    """One request in full: its closing row, all rows that it has (each leg that took its own hold), and their cost."""

    last: Row
    legs: list[Row]
    cost_n: int


class Before(Struct, frozen=True):
    """Where a page begins: behind the request with this moment and hold."""

    at_ns: int = END_NS
    hold_id: str = ""

    def __str__(self) -> str:
        return f"{self.at_ns}_{self.hold_id}" if self.hold_id else str(self.at_ns)


class Wanted(Struct, frozen=True, kw_only=True):
    """Which requests; what is empty is any. `key` is a kid."""

    key: str = ""
    service: str = ""
    model: str = ""
    status: int = 0
    code: str = ""
    before: Before = Before()


def before(text: str) -> Before | None:
    """Where a page begins, as `str(Before)` says it; None where the text is not that."""
    at, _, hold = text.partition("_")
    if not (at.isascii() and at.isdigit() and len(at) <= 19):
        return None
    return Before(min(int(at), END_NS), hold[:200])


async def trace(desk: Desk, request_id: str) -> Exchange:
    """Everything that is kept of one request; `NotFound` where nothing is, or not yet, `RecordDeleted`."""
    second = arrived_s(request_id)
    today = desk.clock.wall_ns() // _DAY_NS
    async with desk.store.read() as look:
        kept = await records_from(look)
        first, last = kept or await _oldest(look), today + 1
        if second is not None:
            first, last = second // _DAY_S - 1, second // _DAY_S + 1
        days = json.dumps(list(range(first, last + 1)), separators=(",", ":"))
        rows = await look.rows("trace", request=request_id, beyond=request_id + "/", days=days)
    if rows:
        legs = [_read(row) for row in rows]
        return Exchange(legs[-1], legs, sum(leg["cost_n"] for leg in legs))
    if second is not None and second // _DAY_S < kept:
        raise RecordDeleted(request_id, _date(kept))
    raise NotFound("request", request_id)


async def latest(desk: Desk, wanted: Wanted, most: int = 50) -> list[Row]:
    """The newest requests that pass the filters, newest first; at most 500."""
    most = max(0, min(most, _MOST_ROWS))
    async with desk.store.read() as look:
        search = _Search(look, wanted, most)
        await search.prepare()
        last, stretch = min(wanted.before.at_ns, END_NS) // _DAY_NS, 1
        while len(search.found) < most and (days := await search.days(last, stretch)):
            for day in days:
                await search.read(day)
                if len(search.found) >= most:
                    break
            last, stretch = days[-1] - 1, min(2 * stretch, _MOST_DAYS)
    return [_read(row) for row in search.found]


async def records_from(look: Reading) -> int:
    """The first day whose records are all there; 0 where none was ever deleted."""
    facts = {row["name"]: row["value"] for row in await look.rows("meta")}
    return int(facts.get("records_from", "0"))


class _Search:
    """One page in the making."""

    def __init__(self, look: Reading, wanted: Wanted, most: int) -> None:
        self.found: list[Row] = []
        self._look = look
        self._wanted = wanted
        self._most = most
        self._every = wanted == Wanted(before=wanted.before)
        self._groups = "[]"
        self._kept = 0

    async def prepare(self) -> None:
        self._kept = await records_from(self._look)
        if not self._every:
            one = self._wanted
            filters = {
                "key": one.key, "service": one.service, "model": one.model, "status": one.status, "code": one.code,
            }  # fmt: skip
            self._groups = json.dumps([row["id"] for row in await self._look.rows("groups_of", **filters)])

    async def days(self, last: int, most: int) -> list[int]:
        """The days up to one on which something passes, newest first."""
        rows = await self._look.rows(
            "days_of", first=self._kept, last=last, every=self._every, numbers=self._groups, most=most
        )
        return [int(row["day"]) for row in rows]

    async def read(self, day: int) -> None:
        """Add what passes on a day."""
        if self._every:
            await self._between(day, day * _DAY_NS, (day + 1) * _DAY_NS)
            return
        last = min((day + 1) * _HOURS - 1, self._wanted.before.at_ns // _HOUR_NS)
        hours = await self._look.rows("hours_of", first=day * _HOURS, last=last, numbers=self._groups)
        for row in hours:
            await self._between(day, row["hour"] * _HOUR_NS, (row["hour"] + 1) * _HOUR_NS)
            if len(self.found) >= self._most:
                return

    async def _between(self, day: int, since_ns: int, until_ns: int) -> None:
        before = self._wanted.before
        self.found += await self._look.rows(
            "requests_between",
            day=day, since=since_ns, until=min(until_ns, before.at_ns + 1), before=before.at_ns, hold=before.hold_id,
            every=self._every, numbers=self._groups, model=self._wanted.model, most=self._most - len(self.found),
        )  # fmt: skip


async def _oldest(look: Reading) -> int:
    [row] = await look.rows("oldest_day")
    return int(row["day"] or 0)


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat()


def _read(row: Row) -> Row:
    at = datetime.fromtimestamp(row["at_ns"] // 10**9, UTC)
    return {
        **row,
        **{flag: bool(row[flag]) for flag in _FLAGS},
        "at": at.isoformat().replace("+00:00", "Z"),
        "attempts": msgspec.json.decode(row["attempts"] or "[]"),
        "amounts": msgspec.json.decode(row["amounts"] or "[]"),
    }
