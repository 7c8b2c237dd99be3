"""Moving the vault to new keys while everything runs: a new root key, new keys of tenants, or both.

Every step is one transaction or one write of the seal, and may be repeated; what was reached stands in a row. So it
goes on after any death, from wherever it was:

    begin     the row; new keys of tenants, which workers hear of before anything is sealed under them
    add root  the seal holds a second root key, and every process of this machine has it (`Unsealer`)
    enter     its check value; the keys of the vault wrapped under it. What is sealed from now on is sealed under it
    reseal    every cell, some at a time, each with a new data key
    complete  nothing is under the old keys: keys of tenants and check value of the old root key go
    keep root the old root key is destroyed, once every worker knows all this

At each of them everything that is stored opens with the keys that the seal holds.
"""
# ruff: noqa: ARG001 - the reason is the audit's

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.find import Look, named, nearest
from clavero.control.vault import Vault
from clavero.domain.access import SYSTEM, Actor
from clavero.domain.refusals import InvalidValue, NotFound, OthersNeedRootKey, Refusal, RekeyRuns
from clavero.domain.sealing import Purpose, Rekey, RekeyState, SealedKey
from clavero.domain.startup import StartFailure
from clavero.vault.barrier import Barrier
from clavero.vault.box import CannotOpen
from clavero.vault.columns import COLUMNS, Cell, Column
from clavero.vault.keyring import Keyring

_AT_ONCE = 16  # cells in one transaction: whoever waits for the one writer of SQLite waits no longer than for them
_AGAIN_SECONDS = 3.0  # after something was in the way
_SILENT_NS = 600 * 1_000_000_000  # a machine that was not heard of for so long does not hold a re-key up


class Sealed(Struct, frozen=True):
    """One sealed cell as it is stored."""

    column: Column[Any]
    cell: Cell
    envelope: bytes


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be moved to new keys: the root, and tenants by name."""

    root: bool = False
    tenants: tuple[str, ...] = ()


# --- the steps


@operation("vault.rekey")
async def begin(change: Changing, *, wanted: Wanted, reason: str = "") -> Rekey:
    """Note the move, and make the new keys of tenants. Asked for again while it runs, it is the same move."""
    tenants = tuple(sorted(set(wanted.tenants)))
    if not (wanted.root or tenants):
        raise InvalidValue("root", "true, or name a tenant", "true")
    keyring = await change.desk.vault.keyring(change)
    running = await under_way(change)
    if running is not None:
        if (running.root, running.tenants) != (wanted.root, tenants):
            raise RekeyRuns
        running = replace(running, home=change.desk.vault.home)  # the seal was moved to where it is asked for now
        await change.put(running)
        return running
    known = keyring.tenants()
    for tenant in tenants:
        if tenant not in known:
            raise NotFound("tenant", tenant, nearest(tenant, known))
        await change.put(keyring.add(Purpose.TENANT, change.desk.dice.token, change.now_ns, tenant))
    rekey = Rekey(
        id=f"{change.now_ns:020d}",
        root=wanted.root,
        tenants=tenants,
        state=RekeyState.RUNNING,
        home=change.desk.vault.home,
        before=keyring.root,
        cells=len(await sealed_cells(change)),
        begun_ns=change.now_ns,
    )
    await change.put(rekey)
    return rekey


@operation("vault.enter")
async def enter(change: Changing, *, rekey: str, reason: str = "") -> Rekey:
    """Seal under the new root key from now on, and wrap the keys of the vault under it."""
    move, vault = await named(change, Rekey, rekey), change.desk.vault
    keyring, new = await vault.keyring(change), vault.roots.keys[-1]
    if new.id == move.before or move.home != vault.home:
        raise RekeyRuns
    if new.id not in keyring.roots:
        check = keyring.check_of(new, change.desk.dice.token, change.now_ns)
        await change.put(check)
        keyring = Keyring.open(vault.roots, (*keyring.rows, check))
    for row in keyring.wrapped_again(change.desk.dice.token):
        await change.put(row)
    move = replace(move, after=keyring.root)
    await change.put(move)
    return move


@operation("vault.reseal")
async def reseal(change: Changing, *, cells: Sequence[tuple[type[Struct], str]], reason: str = "") -> int:
    """Seal what these objects hold again, under the newest keys; how many were. What does not open is left as it is."""
    barrier = await change.desk.vault.barrier(change)
    done = 0
    for kind, identity in cells:
        thing = await change.get(kind, identity)
        again = _sealed_again(barrier, thing) if thing is not None else thing
        if again is not None and again is not thing:
            await change.put(again)
            done += 1
    return done


@operation("vault.complete")
async def complete(change: Changing, *, rekey: str, reason: str = "") -> Rekey:
    """Forget the old keys of tenants and the old check value; `RekeyRuns` where something still needs them."""
    move = await named(change, Rekey, rekey)
    keyring = await change.desk.vault.keyring(change)
    if await outdated(change, change.desk.vault):
        raise RekeyRuns
    newest = keyring.tenants()
    for row in keyring.rows:
        old_root = row.purpose is Purpose.CHECK and row.root != keyring.root
        if old_root or (row.purpose is Purpose.TENANT and row.version < newest[row.tenant]):
            await change.delete(SealedKey, row.id)
    state = RekeyState.SEALED if move.root else RekeyState.DONE
    move = replace(move, state=state, ended_ns=0 if move.root else change.now_ns)
    await change.put(move)
    return move


@operation("vault.forget")
async def forget(change: Changing, *, rekey: str, reason: str = "") -> Rekey:
    """Note that the old root key is destroyed."""
    move = replace(await named(change, Rekey, rekey), state=RekeyState.DONE, ended_ns=change.now_ns)
    await change.put(move)
    return move


# --- all of them, in order


async def start(desk: Desk, actor: Actor, wanted: Wanted, reason: str = "") -> Rekey:
    """Begin as somebody; `OthersNeedRootKey` where another machine could not be given a new root key."""
    if wanted.root:
        await _refuse_others(desk)
    rekey = await perform(desk, actor, begin, wanted=wanted, reason=reason)
    desk.vault.begun.set()
    return rekey


async def advance(desk: Desk) -> bool:
    """Do all that is left of the move under way; False where there is none.

    `ConnectionError` or a `Refusal` where it cannot go on now; whatever was reached stays.
    """
    async with desk.store.read() as look:
        move = await under_way(look)
    if move is None or (move.root and move.home != desk.vault.home):
        return False
    if move.root and not move.after:
        await _refuse_others(desk)
        await desk.vault.unsealer.add_root()
        move = await perform(desk, SYSTEM, enter, rekey=move.id)
    if move.state is RekeyState.RUNNING:
        await _reseal_all(desk)
        move = await perform(desk, SYSTEM, complete, rekey=move.id)
    if move.state is RekeyState.SEALED:
        async with desk.store.read() as look:
            (newest,) = await look.rows("published_seq")
        await desk.vault.unsealer.keep_root(move.after, int(newest["seq"]))
        await perform(desk, SYSTEM, forget, rekey=move.id)
    return True


async def forever(desk: Desk, told: Callable[[str], None], every: float = 30.0) -> None:
    """Go on with whatever is under way, at the start and whenever something was begun; `told` hears why it stops."""
    while True:
        desk.vault.begun.clear()
        stuck, pause = "", every
        try:
            await advance(desk)
        except (ConnectionError, Refusal, StartFailure) as why:
            stuck, pause = str(why), _AGAIN_SECONDS
        if stuck and stuck != desk.vault.stuck:
            told(stuck)
        desk.vault.stuck = stuck
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(desk.vault.begun.wait(), pause)


async def _reseal_all(desk: Desk) -> None:
    while True:
        async with desk.store.read() as look:
            left = [(one.column.kind, one.cell.id) for one in await outdated(look, desk.vault)]
        if not left:
            return
        done = 0
        for cells in _in_pieces(left):
            began = desk.clock.monotonic_ns()
            done += await perform(desk, SYSTEM, reseal, cells=cells)
            held_ns = desk.clock.monotonic_ns() - began
            await asyncio.sleep(held_ns / 1e9)  # the writer's turn is others' for as long as it was ours
        if not done:
            ids = ", ".join(identity for _, identity in left[:3])
            raise ConnectionError(f"{len(left)} sealed values do not open ({ids}): remove them, and it goes on")


async def _refuse_others(desk: Desk) -> None:
    """A new root key goes to the processes of this machine and no further."""
    since = desk.clock.wall_ns() - _SILENT_NS
    async with desk.store.read() as look:
        (found,) = await look.rows("other_homes", home=desk.vault.home, since=since)
    if found["homes"]:
        raise OthersNeedRootKey(int(found["homes"]))


# --- looking


async def under_way(look: Look) -> Rekey | None:
    """The move that is not done; there is one at most."""
    found = [one for one in await look.find(Rekey) if one.state is not RekeyState.DONE]
    return found[-1] if found else None


async def sealed_cells(look: Look) -> list[Sealed]:
    """Every cell that holds something."""
    kinds = dict.fromkeys(column.kind for column in COLUMNS)
    return [cell for kind in kinds for thing in await look.find(kind) for cell in _cells_of(thing)]


async def outdated(look: Look, vault: Vault) -> list[Sealed]:
    """The cells that are not under the newest keys."""
    barrier: Barrier = await vault.barrier(look)
    return [one for one in await sealed_cells(look) if not barrier.is_current(one.envelope, one.cell)]


def _sealed_again(barrier: Barrier, thing: Struct) -> Struct:
    for one in _cells_of(thing):
        if not barrier.is_current(one.envelope, one.cell):
            with contextlib.suppress(CannotOpen):
                thing = replace(thing, **{one.column.field: barrier.seal_again(one.envelope, one.cell)})
    return thing


def _cells_of(thing: Struct) -> list[Sealed]:
    return [
        Sealed(column, column.cell(thing), envelope)
        for column in COLUMNS
        if isinstance(thing, column.kind) and (envelope := getattr(thing, column.field))
    ]


def _in_pieces(cells: list[tuple[type[Struct], str]]) -> list[list[tuple[type[Struct], str]]]:
    return [cells[at : at + _AT_ONCE] for at in range(0, len(cells), _AT_ONCE)]
