"""Members: people, and machines that stand for a service. Each key has one who answers for it.

The first owner of an empty house is made with the first key, as a place is. From then on the list is the operator's: a
mistyped owner would be a key that nobody answers for, so an unknown one is refused with the command that adds it.
"""
# ruff: noqa: ARG001 - the reason is the audit's

import shlex
from collections.abc import Mapping

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.control.find import named, nearest
from clavero.control.freezes import unfrozen
from clavero.domain import scopes
from clavero.domain.keys import OVER, Key, day
from clavero.domain.members import EMAIL_RULE, LONGEST, Member, MemberKind, MemberState, is_email, same
from clavero.domain.organisation import Team
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue, OwnerLeft, OwnerUnknown, StateForbids

_DAY_NS = 86_400 * 1_000_000_000


class NewMember(Struct, frozen=True, kw_only=True):
    """A member as it is asked for."""

    name: str
    email: str = ""
    kind: MemberKind = MemberKind.PERSON
    teams: tuple[str, ...] = ()


class MemberEdit(Struct, frozen=True, kw_only=True):
    """What changes of a member; its name stands in keys and in the audit trail, and stays."""

    email: str | UnsetType = UNSET
    kind: MemberKind | UnsetType = UNSET
    teams: tuple[str, ...] | UnsetType = UNSET


class Handover(Struct, frozen=True):
    """Keys that went from one member to another, by name."""

    name: str
    to: str
    keys: tuple[str, ...]


@operation("member.add")
async def add_member(change: Changing, *, wanted: NewMember, reason: str = "") -> Member:
    """A new member, of teams that there are."""
    name = scopes.words(wanted.name, "name", LONGEST, needed="what people call them")
    known = await change.find(Member)
    for one in known:
        if same(one.name, name):
            raise AlreadyExists("member", one.name)
    member = Member(
        name=name,
        email=_email(wanted.email, known),
        kind=wanted.kind,
        teams=await _teams(change, wanted.teams),
        created_ns=change.now_ns,
    )
    await change.put(member)
    return member


@operation("member.update")
async def update_member(change: Changing, *, name: str, edit: MemberEdit, reason: str = "") -> Member:
    """Change where a member is reached, what it is, and its teams."""
    member = await named(change, Member, name)
    if edit.email is not UNSET:
        others = [one for one in await change.find(Member) if one.name != name]
        member = replace(member, email=_email(edit.email, others))
    if edit.kind is not UNSET:
        member = replace(member, kind=edit.kind)
    if edit.teams is not UNSET:
        member = replace(member, teams=await _teams(change, edit.teams))
    await change.put(member)
    return member


@operation("member.remove")
async def remove_member(change: Changing, *, name: str, reason: str = "") -> Member:
    """Remove a member who owns no key that could still work."""
    member = await named(change, Member, name)
    for key in await change.find(Key, owner=name):
        if key.state not in OVER:
            raise InUse("member", name, f"key {key.name}")
    await change.delete(Member, name)
    return member


# --- leaving


@operation("member.leave")
async def leave(change: Changing, *, name: str, reason: str = "") -> Member:
    """A member answers for nothing new from now on; the keys they own wait for another owner, and work meanwhile."""
    member = await named(change, Member, name)
    if member.state is MemberState.LEFT:
        fix = f"clavero member transfer {shlex.quote(name)} --to MEMBER"
        raise StateForbids("member", name, "no longer here", "told to leave again", fix)
    due_ns = change.now_ns + change.desk.custody.transfer_days * _DAY_NS
    member = replace(member, state=MemberState.LEFT, left_ns=change.now_ns, due_ns=due_ns)
    await change.put(member)
    return member


@operation("member.rejoin")
async def rejoin(change: Changing, *, name: str, reason: str = "") -> Member:
    """A member who left is back, and answers again for the keys that are still theirs."""
    member = replace(await named(change, Member, name), state=MemberState.ACTIVE, left_ns=0, due_ns=0)
    await change.put(member)
    return member


@operation("member.transfer")
async def transfer_all(change: Changing, *, name: str, to: str, override: bool = False, reason: str = "") -> Handover:
    """Give every key of a member that could still work to another one."""
    await change.put(await named(change, Member, name))  # first: it is what the audit row is about
    heir = await living(change, to)
    keys = [replace(key, owner=heir.name) for key in await change.find(Key, owner=name) if key.state not in OVER]
    for environment in sorted({key.environment for key in keys}):
        await unfrozen(change, environment, override=override, reason=reason)
    await change.put_all(keys)
    return Handover(name, heir.name, tuple(sorted(key.name for key in keys)))


# --- owning


async def living(change: Changing, name: str) -> Member:
    """A member who is here; `OwnerUnknown` or `OwnerLeft` otherwise."""
    name = scopes.words(name, "owner", LONGEST, needed="who answers for the key")
    member = await change.get(Member, name)
    if member is None:
        raise OwnerUnknown(name, nearest(name, (one.name for one in await change.find(Member))))
    if member.state is MemberState.LEFT:
        raise OwnerLeft(name, day(member.left_ns))
    return member


async def still_here(change: Changing, key: Key) -> None:
    """Whether the owner of a key that is to work again is here; `OwnerLeft` with the way out otherwise."""
    member = await change.get(Member, key.owner)
    if member is not None and member.state is MemberState.LEFT:
        raise OwnerLeft(member.name, day(member.left_ns), f"clavero key transfer {key.name} --to MEMBER")


async def owner_of(change: Changing, name: str) -> Member:
    """Who is to answer for a key; the first of a house is made on the way, another stranger is refused."""
    name = scopes.words(name, "owner", LONGEST, needed="who answers for the key")
    if await change.get(Member, name) is None and not await change.find(Member):
        await change.put(Member(name=name, created_ns=change.now_ns))
    return await living(change, name)


# --- looking


async def list_members(desk: Desk) -> list[Member]:
    """Every member, by name."""
    async with desk.store.read() as look:
        return await look.find(Member)


async def show_member(desk: Desk, name: str) -> Member:
    """One member; `NotFound` with the nearest name."""
    async with desk.store.read() as look:
        return await named(look, Member, name)


async def keys_of(desk: Desk) -> Mapping[str, int]:
    """How many keys that could still work each owner has."""
    async with desk.store.read() as look:
        return {str(row["owner"]): int(row["keys"]) for row in await look.rows("keys_by_owner")}


# --- rules of the fields


def _email(text: str, others: list[Member]) -> str:
    text = text.strip()
    if not text:
        return ""
    if not is_email(text):
        raise InvalidValue("email", EMAIL_RULE)
    for one in others:
        if same(one.email, text):
            raise InvalidValue("email", f"their own: {one.name} has this one")
    return text


async def _teams(change: Changing, names: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(names))
    for name in found:
        await named(change, Team, name)
    return found
