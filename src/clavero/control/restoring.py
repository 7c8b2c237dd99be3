"""What a restore owes the audit trail, and what ended since the backup stays ended."""
# ruff: noqa: ARG001 - the reason is the audit's

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.recovery import Recovered
from clavero.domain.access import Actor, Session
from clavero.domain.tombstones import Tombstone, kind_of, laid


@operation("db.restore")
async def restored(change: Changing, *, reason: str) -> None:
    """Note that the database was brought back, from what, and what is missing; every browser is signed out."""
    open_ones = await change.find(Session, ended_ns=0)
    await change.put_all([replace(one, ended_ns=change.now_ns) for one in open_ones])


@operation("db.bury")
async def bury(change: Changing, *, stone: Tombstone, reason: str) -> bool:
    """End again what had ended; False where the backup does not know it, or knows that it has."""
    kind = kind_of(stone)
    thing = await change.get(kind, stone.id) if kind else None
    ended = laid(thing, stone) if thing is not None else None
    if ended is None:
        return False
    await change.put(ended)
    return True


async def settle(desk: Desk, actor: Actor, told: str, stones: Iterable[Tombstone]) -> int:
    """Write what was restored into the audit trail, and end again what had ended; returns how many things that were."""
    await perform(desk, actor, restored, reason=told)
    ended = 0
    for stone in stones:
        if await _still_stands(desk, stone):
            why = f"ended {moment(stone.at_ns)}, after the backup. {stone.reason}".strip()
            ended += await perform(desk, actor, bury, stone=stone, reason=why)
    return ended


def account(recovered: Recovered) -> str:
    """What was read again, in one line."""
    gaps = f"; {len(recovered.gaps)} gaps in journals" if recovered.gaps else ""
    return (
        f"epoch {recovered.epoch}; {recovered.frames} frames of {recovered.journals} journals read again, "
        f"{recovered.adopted} of them unknown{gaps}; {recovered.excess_n} nano-USD beyond limits"
    )


def moment(at_ns: int) -> str:
    """A UTC instant to the second."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


async def _still_stands(desk: Desk, stone: Tombstone) -> bool:
    kind = kind_of(stone)
    if kind is None:
        return False
    async with desk.store.read() as look:
        thing = await look.get(kind, stone.id)
    return thing is not None and laid(thing, stone) is not None
