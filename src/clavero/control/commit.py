"""Every change goes through here: the object, the change log and one audit row, in one transaction, or nothing.

An operation is a function with a permission; `perform` is the only way to run one. What an operation puts or deletes is
noted on the way, so that no duty can forget to publish or to record it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.vault import Vault
from clavero.domain import audit
from clavero.domain.access import Actor, may
from clavero.domain.audit import AuditRow
from clavero.domain.members import Custody
from clavero.domain.names import DEFAULT_RULE, NameRule
from clavero.domain.refusals import Forbidden
from clavero.domain.secret import mask
from clavero.domain.tombstones import Tombstone, tombstones
from clavero.ports.clock import Clock, Dice
from clavero.ports.store import Reading, Store, Writing
from clavero.vault.fingerprint import Fingerprints

T = TypeVar("T", bound=Struct)
R = TypeVar("R")
P = ParamSpec("P")

REFUSED = "access.refuse"  # the action of the row that keeps a refused permission
_LONGEST = 500
_CUSTODY = Custody()
_ONCE_EVERY_NS = 3600 * 1_000_000_000


class Desk(Struct, frozen=True):
    """What every duty needs; wired once in `bootstrap/control`."""

    store: Store
    clock: Clock
    dice: Dice
    vault: Vault
    fingerprints: Fingerprints
    names: NameRule = DEFAULT_RULE  # what keys may be called: the operator's to set
    custody: Custody = _CUSTODY  # what becomes of the keys of those who leave: the operator's to set
    bury: Callable[[Sequence[Tombstone]], None] = lambda _: None  # notes beside the database what is ended for ever


class Touched(Struct, frozen=True):
    """One object as it was before and after an operation; None is absent."""

    kind: str
    id: str
    before: Struct | None
    after: Struct | None


_NOTHING = Touched("", "", None, None)


class Changing:
    """A look at the store that may change it, for the length of one operation."""

    def __init__(self, desk: Desk, writing: Writing, now_ns: int) -> None:
        self.desk = desk
        self.now_ns = now_ns
        self.touched: dict[tuple[str, str], Touched] = {}
        self.remarks: list[str] = []
        self._writing = writing

    def remark(self, text: str) -> None:
        """Have something told before the reason in the audit row: what this change did not stop at."""
        if text not in self.remarks:
            self.remarks.append(text)

    async def get(self, kind: type[T], identity: str) -> T | None:
        """The object as it is now."""
        return await self._writing.get(kind, identity)

    async def find(self, kind: type[T], **equal: object) -> list[T]:
        """The objects with these fields."""
        return await self._writing.find(kind, **equal)

    async def put(self, thing: Struct) -> None:
        """Create or replace an object."""
        kind, name = self._writing.name_of(thing)
        self._note(kind, name, await self._writing.get(type(thing), name), thing)
        await self._writing.put(thing)

    async def put_all(self, things: Sequence[T]) -> None:
        """Create or replace many objects of one kind at once."""
        if not things:
            return
        names = [self._writing.name_of(thing) for thing in things]
        known = {self._writing.name_of(one): one for one in await self._writing.find(type(things[0]))}
        for (kind, name), thing in zip(names, things, strict=True):
            self._note(kind, name, known.get((kind, name)), thing)
        await self._writing.put_all(things)

    async def delete(self, kind: type[Struct], identity: str) -> None:
        """Remove an object; one that is not there is not noted."""
        before = await self._writing.get(kind, identity)
        if before is not None:
            self._note(self._writing.name_of(before)[0], identity, before, None)
            await self._writing.delete(kind, identity)

    async def run(self, statement: str, **values: object) -> None:
        """Run a statement that the store knows by this name, such as a limit's effect on the ledger (L30)."""
        await self._writing.run(statement, **values)

    def _note(self, kind: str, identity: str, before: Struct | None, after: Struct | None) -> None:
        known = self.touched.get((kind, identity))
        self.touched[kind, identity] = Touched(kind, identity, known.before if known else before, after)


class Operation(Struct, frozen=True):
    """A registered change: its name is the permission it needs."""

    name: str
    work: Callable[..., Awaitable[Any]]


OPERATIONS: dict[str, Operation] = {}
_NAMES: dict[Callable[..., Any], str] = {}

Work = Callable[Concatenate[Changing, P], Awaitable[R]]


def operation(name: str) -> Callable[[Work[P, R]], Work[P, R]]:
    """Register a change under the permission it needs."""

    def register(work: Work[P, R]) -> Work[P, R]:
        if name in OPERATIONS:
            raise ValueError(f"two operations are called {name}")
        OPERATIONS[name] = Operation(name, work)
        _NAMES[work] = name
        return work

    return register


async def perform(
    desk: Desk, actor: Actor, work: Callable[Concatenate[Changing, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run an operation as somebody: permission, work, change log and audit row, committed together or not at all.

    A keyword `reason` is kept in the audit row, masked, whether or not the operation takes it itself.
    """
    name = _NAMES[work]
    if not may(actor.role, name):
        await keep_once(desk, actor, REFUSED, name)
        raise Forbidden(name)
    async with desk.store.write() as writing:
        changing = Changing(desk, writing, desk.clock.wall_ns())
        result = await work(changing, *args, **kwargs)
        await _record(changing, writing, actor, name, ": ".join([*changing.remarks, str(kwargs.get("reason", ""))]))
        # Before the commit: an end that is noted and then does not come about is tried again, the reverse is forgotten.
        stones = tombstones(((one.before, one.after) for one in changing.touched.values()), changing.now_ns)
        if stones:
            await asyncio.to_thread(desk.bury, stones)
    return result


async def note(desk: Desk, actor: Actor, action: str, subject: tuple[str, str], reason: str) -> None:
    """Keep in the audit trail what was done to the database as a whole: no object of it has changed."""
    async with desk.store.write() as writing:
        row = _row(actor, action, desk.clock.wall_ns(), reason)
        await _append(writing, replace(row, object_kind=subject[0], object_id=_line(subject[1])))


async def _record(changing: Changing, writing: Writing, actor: Actor, action: str, reason: str) -> None:
    """Log every object that was touched, and the operation once, bound to the row before it."""
    touched = list(changing.touched.values())
    if touched:
        await writing.log_all([(one.kind, one.id) for one in touched], changing.now_ns)
    subject = _subject(action, touched)
    before, after = (_together([getattr(one, side) for one in touched]) for side in ("before", "after"))
    row = _row(actor, action, changing.now_ns, reason)
    row = replace(row, object_kind=subject.kind, object_id=subject.id, before=before, after=after)
    await _append(writing, row)


async def keep_once(desk: Desk, actor: Actor, action: str, what: str) -> None:
    """Keep that somebody tried what they may not, or read what is kept of others; once an hour each.

    So nobody fills the table by trying. Strangers never come this far: an actor is somebody who has signed in.
    """
    async with desk.store.write() as writing:
        await writing.audit_head()  # one change at a time, or one that read before a revocation would write over it
        now_ns = desk.clock.wall_ns()
        since_ns = now_ns - _ONCE_EVERY_NS
        if not await writing.rows("kept_since", action=action, actor=actor.id, what=what, since_ns=since_ns):
            row = _row(actor, action, now_ns, "")
            await _append(writing, replace(row, object_kind="permission", object_id=what))


async def _append(writing: Writing, row: AuditRow) -> None:
    seq, previous = await writing.audit_head()
    await writing.put(audit.link(replace(row, seq=seq + 1), previous))


def _row(actor: Actor, action: str, at_ns: int, reason: str) -> AuditRow:
    return AuditRow(
        seq=0, at_ns=at_ns, actor=_line(actor.id), actor_kind=actor.kind, session=actor.session, level=actor.level,
        address=actor.address, action=action, object_kind="", object_id="", reason=_line(reason),
        request_id=_line(actor.request_id),
    )  # fmt: skip


def _line(text: str) -> str:
    """A text as it may be kept for ever: no key in it, one line, not long."""
    return "".join(letter if letter.isprintable() else " " for letter in mask(text))[:_LONGEST]


def _subject(action: str, touched: list[Touched]) -> Touched:
    """What the row names: the object that the operation's noun means, else the first that it touched."""
    noun = action.partition(".")[0]
    named = (one for one in touched if one.kind == noun or one.kind.endswith(f"_{noun}"))
    return next(named, touched[0] if touched else _NOTHING)


def _together(things: list[Struct | None]) -> str:
    """One digest for all that an operation touched."""
    digests = [audit.digest(thing) for thing in things]
    return digests[0] if len(digests) == 1 else audit.digest_of(digests) if any(digests) else ""


async def reading(desk: Desk, work: Callable[[Reading], Awaitable[R]]) -> R:
    """Look at the store without changing it."""
    async with desk.store.read() as look:
        return await work(look)
