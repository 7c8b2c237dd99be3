"""Members: people, and machines that stand for a service. Each key has one who answers for it.

The first owner of an empty house is made with the first key, as a place is. From then on the list is the operator's: a
mistyped owner would be a key that nobody answers for, so an unknown one is refused with the command that adds it.
"""
# ruff: noqa: ARG001 - the reason is the audit's

from collections.abc import Mapping

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.control.find import named, nearest
from clavero.domain import scopes
from clavero.domain.keys import Key, KeyState
from clavero.domain.members import EMAIL_RULE, LONGEST, Member, MemberKind, is_email, same
from clavero.domain.organisation import Team
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue, OwnerUnknown

_OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})


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
        if key.state not in _OVER:
            raise InUse("member", name, f"key {key.name}")
    await change.delete(Member, name)
    return member


# --- owning


async def owner_of(change: Changing, name: str) -> Member:
    """Who is to answer for a key; the first of a house is made on the way, another stranger is refused."""
    name = scopes.words(name, "owner", LONGEST, needed="who answers for the key")
    member = await change.get(Member, name)
    if member is not None:
        return member
    known = await change.find(Member)
    if known:
        raise OwnerUnknown(name, nearest(name, (one.name for one in known)))
    member = Member(name=name, created_ns=change.now_ns)
    await change.put(member)
    return member


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
