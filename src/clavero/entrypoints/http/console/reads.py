"""What pages are made of, read from the store: exchanges, sums, what was charged. Nothing is changed here."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from clavero.control.commit import Desk
from clavero.control.usage import latest as newest_rows
from clavero.domain.audit import AuditRow
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.entrypoints.http.console import figures
from clavero.entrypoints.http.console.figures import Speed, Sums

_NS = 1_000_000_000
_DAY = 86_400
_END = 2**62
_TOKENS = Tokens.__struct_fields__
_FIELDS = [name for name in Exchange.__struct_fields__ if name not in {"tokens", "attempts"}]
_FLAGS = {"streamed", "estimated", "final"}


class Leg(Struct, frozen=True):
    """One row of usage and the budgets it was charged to, as (budget, period, nano-USD)."""

    exchange: Exchange
    amounts: tuple[tuple[str, int, int], ...] = ()


class Wanted(Struct, frozen=True, kw_only=True):
    """Which exchanges; what is empty is any. `before_ns` pages backwards."""

    key_id: str = ""
    service: str = ""
    model: str = ""
    status: int = 0
    code: str = ""
    before_ns: int = _END


class Spent(Struct, frozen=True):
    """What one key has done."""

    calls: int = 0
    cost_n: int = 0


async def steps(desk: Desk, since_ns: int, step_ns: int) -> list[Sums]:
    """Sums from then to now, step by step."""
    until_ns = desk.clock.wall_ns()
    async with desk.store.read() as look:
        rows = await look.rows("usage_steps", since=since_ns, until=until_ns, step=step_ns)
    found = {int(row["step"]): _sums(row, since_ns, step_ns) for row in rows}
    return figures.steps(found, since_ns, until_ns, step_ns)


async def speed(desk: Desk, since_ns: int, answered: int) -> Speed:
    """The 95th percentiles of so many answered calls since then."""
    if answered <= 0:
        return Speed()
    skip = figures.rank_of(answered, 95)
    async with desk.store.read() as look:
        total = await look.rows("usage_nth_total", since=since_ns, skip=skip)
        ours = await look.rows("usage_nth_ours", since=since_ns, skip=skip)
    return Speed(*(int(rows[0]["us"]) if rows else 0 for rows in (total, ours)))


async def codes(desk: Desk, since_ns: int) -> dict[str, int]:
    """How often each code was answered since then."""
    async with desk.store.read() as look:
        return {row["code"]: int(row["calls"]) for row in await look.rows("usage_codes", since=since_ns)}


async def latest(desk: Desk, wanted: Wanted, most: int) -> list[Exchange]:
    """The newest exchanges that fit."""
    rows = await newest_rows(
        desk, key=wanted.key_id, service=wanted.service, model=wanted.model, status=wanted.status, code=wanted.code,
        before_ns=min(wanted.before_ns, _END), most=most,
    )  # fmt: skip
    return [_exchange(row) for row in rows]


async def trace(desk: Desk, request_id: str) -> list[Leg]:
    """Every leg of one exchange, the final one last; empty for one that is not known."""
    async with desk.store.read() as look:
        rows = await look.rows("trace", request=request_id)
    return [Leg(_exchange(row), _amounts(row["amounts"])) for row in rows]


async def last_calls(desk: Desk) -> dict[str, int]:
    """When each key was last used, by its id."""
    async with desk.store.read() as look:
        return {row["key_id"]: row["at_ns"] for row in await look.rows("last_use")}


async def by_key(desk: Desk, days: int) -> dict[str, Spent]:
    """Calls and costs of each key over so many UTC days, today included."""
    today = desk.clock.wall_ns() // _NS // _DAY
    async with desk.store.read() as look:
        rows = await look.rows("usage_by:key", since=today - days + 1, until=today + 1)
    return {row["key"]: Spent(int(row["calls"]), int(row["cost_n"])) for row in rows}


async def models(desk: Desk, days: int) -> list[str]:
    """The models that answered in so many UTC days, dearest first."""
    today = desk.clock.wall_ns() // _NS // _DAY
    async with desk.store.read() as look:
        rows = await look.rows("usage_by:model", since=today - days + 1, until=today + 1)
    return [row["model"] for row in rows if row["model"]]


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


def _exchange(row: Mapping[str, Any]) -> Exchange:
    fields: dict[str, Any] = {name: bool(row[name]) if name in _FLAGS else row[name] for name in _FIELDS}
    attempts = row["attempts"]
    told = msgspec.json.decode(attempts) if isinstance(attempts, str) else attempts
    return Exchange(
        tokens=Tokens(*(row[name] for name in _TOKENS)),
        attempts=msgspec.convert(told, tuple[Attempt, ...]),
        **fields,
    )


def _amounts(text: str) -> tuple[tuple[str, int, int], ...]:
    return msgspec.json.decode(text, type=tuple[tuple[str, int, int], ...])
