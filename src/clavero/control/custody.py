"""Keys whose owner has left: who they are, how long they may wait for another owner, what happens then.

A key that waits goes on working: nobody's service stops because somebody changed jobs. When its transfer is overdue it
is told without end, and by `organisation.orphan_keys = "suspend"` disabled, as any person could disable it.
"""

import asyncio
from collections.abc import Callable, Mapping

from msgspec import Struct

from clavero.control.commit import Desk, perform
from clavero.control.keys import disable
from clavero.domain.access import SYSTEM
from clavero.domain.keys import Key, moment
from clavero.domain.members import Leaver, Member, MemberState, OrphanPolicy, leaver, waits
from clavero.domain.refusals import Refusal

EVERY_SECONDS = 60.0
_TOLD_EVERY_NS = 3600 * 1_000_000_000


class Waiting(Struct, frozen=True):
    """How many keys wait for another owner, how many of them too long, and when the first is due; 0 is never."""

    keys: int = 0
    overdue: int = 0
    due_ns: int = 0


class Swept(Struct, frozen=True):
    """What one look found: names of overdue keys that could still work, and of those that it disabled."""

    overdue: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()


async def leavers(desk: Desk) -> Mapping[str, Leaver]:
    """Who has left, by name."""
    async with desk.store.read() as look:
        return {one.name: leaver(one) for one in await look.find(Member, state=MemberState.LEFT)}


async def waiting(desk: Desk) -> Waiting:
    """The sums, without reading the keys."""
    async with desk.store.read() as look:
        (row,) = await look.rows("keys_waiting", now=desk.clock.wall_ns())
    return Waiting(int(row["keys"]), int(row["overdue"]), int(row["due_ns"]))


async def sweep(desk: Desk) -> Swept:
    """Find what is overdue, and disable it where the operator wants that."""
    now_ns = desk.clock.wall_ns()
    overdue: list[Key] = []
    gone = {name: one for name, one in (await leavers(desk)).items() if one.due_ns <= now_ns}
    async with desk.store.read() as look:
        for name in gone:
            overdue += [key for key in await look.find(Key, owner=name) if waits(key)]
    overdue.sort(key=lambda key: key.name)
    names = tuple(key.name for key in overdue)
    if desk.custody.orphan_keys is not OrphanPolicy.SUSPEND:
        return Swept(names)
    return Swept(names, tuple([key.name for key in overdue if await _suspended(desk, key, gone[key.owner])]))


async def forever(desk: Desk, told: Callable[[Swept], None]) -> None:
    """Look every minute; the same is told again every hour."""
    last, told_ns = Swept(), 0
    while True:
        found = await sweep(desk)
        now_ns = desk.clock.monotonic_ns()
        if found.overdue and (found != last or now_ns - told_ns >= _TOLD_EVERY_NS):
            told(found)
            told_ns = now_ns
        last = found
        await asyncio.sleep(EVERY_SECONDS)


async def _suspended(desk: Desk, key: Key, gone: Leaver) -> bool:
    """Disable a key; False where it is not to be had now: it was revoked or given away meanwhile."""
    reason = f"its owner {key.owner} left, and its transfer was due by {moment(gone.due_ns)}"
    try:
        await perform(desk, SYSTEM, disable, name=key.id, reason=reason)
    except Refusal:
        return False
    return True
