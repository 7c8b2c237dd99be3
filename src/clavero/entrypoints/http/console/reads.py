"""What pages are made of, read from the store: exchanges, sums, what was charged. Nothing is changed here."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from clavero.control import requests
from clavero.control.commit import Desk
from clavero.control.requests import Wanted
from clavero.control.usage import sums_by
from clavero.domain.audit import AuditRow
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.entrypoints.http.console import figures
from clavero.entrypoints.http.console.figures import Speed, Sums

_NS = 1_000_000_000
_DAY = 86_400
_MINUTE = 60 * _NS
_MOST_MEASURED = 20_000  # calls that percentiles are taken of: the newest
_TOKENS = Tokens.__struct_fields__
_FIELDS = [name for name in Exchange.__struct_fields__ if name not in {"tokens", "attempts"}]


class Leg(Struct, frozen=True):
    """One row of usage and the budgets it was charged to, as (budget, period, nano-USD)."""

    exchange: Exchange
    amounts: tuple[tuple[str, int, int], ...] = ()


class Spent(Struct, frozen=True):
    """What one key has done."""

    calls: int = 0
    cost_n: int = 0


async def steps(desk: Desk, since_ns: int, step_ns: int) -> list[Sums]:
    """Sums from a minute to the present one, step by step; steps are whole minutes."""
    now_ns = desk.clock.wall_ns()
    values = {"since": since_ns // _MINUTE, "until": now_ns // _MINUTE + 1, "step": step_ns // _MINUTE}
    begin_ns = values["since"] * _MINUTE
    async with desk.store.read() as look:
        rows = await look.rows("usage_steps", **values)
    found = {int(row["step"]): _sums(row, begin_ns, step_ns) for row in rows}
    return figures.steps(found, begin_ns, values["until"] * _MINUTE, step_ns)


async def speed(desk: Desk, since_ns: int) -> Speed:
    """The 95th percentiles of the calls that were answered since then, of the newest 20,000 where there are more."""
    async with desk.store.read() as look:
        rows = await look.rows("usage_speed", since=since_ns, most=_MOST_MEASURED)
    if not rows:
        return Speed()
    rank = figures.rank_of(len(rows), 95)
    return Speed(*(sorted(row[name] for row in rows)[rank] for name in ("total_us", "overhead_us")))


async def codes(desk: Desk, since_ns: int) -> dict[str, int]:
    """How often each code was answered since then, the minute of then included."""
    async with desk.store.read() as look:
        rows = await look.rows("usage_codes", since=since_ns // _MINUTE)
    return {row["code"]: int(row["calls"]) for row in rows}


async def latest(desk: Desk, wanted: Wanted, most: int) -> list[Exchange]:
    """The newest exchanges that fit."""
    return (await page(desk, wanted, most))[0]


async def page(desk: Desk, wanted: Wanted, most: int) -> tuple[list[Exchange], str]:
    """The newest exchanges that fit, and where the next page begins; "" on the last."""
    rows = await requests.latest(desk, wanted, most)
    onward = str(requests.Before(rows[-1]["at_ns"], rows[-1]["hold_id"])) if len(rows) == most else ""
    return [_leg(row).exchange for row in rows], onward


async def trace(desk: Desk, request_id: str) -> list[Leg]:
    """Every leg of one exchange, the final one last."""
    return [_leg(row) for row in (await requests.trace(desk, request_id)).legs]


async def last_calls(desk: Desk) -> dict[str, int]:
    """When each key was last used, by its id."""
    async with desk.store.read() as look:
        return {row["key_id"]: row["at_ns"] for row in await look.rows("last_use")}


async def by_key(desk: Desk, days: int) -> dict[str, Spent]:
    """Calls and costs of each key over so many UTC days, today included."""
    rows = await _by(desk, "key", days)
    return {row["key"]: Spent(row["calls"], row["cost_n"]) for row in rows}


async def models(desk: Desk, days: int) -> list[str]:
    """The models that answered in so many UTC days, dearest first."""
    return [row["model"] for row in await _by(desk, "model", days) if row["model"]]


async def _by(desk: Desk, group: str, days: int) -> list[dict[str, Any]]:
    today = desk.clock.wall_ns() // _NS // _DAY
    async with desk.store.read() as look:
        return await sums_by(look, [group], range((today - days + 1) * 24, (today + 1) * 24))


async def changes(desk: Desk, object_id: str, most: int) -> list[AuditRow]:
    """The newest changes of one object."""
    async with desk.store.read() as look:
        rows = await look.find(AuditRow, object_id=object_id)
    return sorted(rows, key=lambda row: -row.seq)[:most]


async def rejects(desk: Desk) -> int:
    """How many records could not be posted."""
    async with desk.store.read() as look:
        return int((await look.rows("rejects"))[0]["rejects"])


def _sums(row: Mapping[str, Any], since_ns: int, step_ns: int) -> Sums:
    numbers = (int(row[name]) for name in ("calls", "failed", "refused", "cost_n"))
    return Sums(since_ns + int(row["step"]) * step_ns, *numbers)


def _leg(row: Mapping[str, Any]) -> Leg:
    fields: dict[str, Any] = {name: row[name] for name in _FIELDS}
    exchange = Exchange(
        tokens=Tokens(*(row[name] for name in _TOKENS)),
        attempts=msgspec.convert(row["attempts"], tuple[Attempt, ...]),
        **fields,
    )
    return Leg(exchange, msgspec.convert(row["amounts"], tuple[tuple[str, int, int], ...]))
