"""Members: who can own keys. Names may hold any letter, so they stand in paths as they are."""

from typing import Annotated

from fastapi import Depends, status

from clavero.control import members
from clavero.control.members import MemberEdit, NewMember
from clavero.domain.members import Member, MemberKind, MemberState
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Moment, Names, Reasoned, Text, View, edit_of, moment

routes = router("members")
Reader = Annotated[Caller, Depends(Needs("member.read"))]


class MemberView(View):
    """A member, and how many keys that could still work are theirs."""

    name: str
    email: str
    kind: MemberKind
    teams: tuple[str, ...]
    state: MemberState
    keys: int
    created_at: Moment


class MembersView(View):
    """Every member, by name."""

    members: list[MemberView]


class NewMemberBody(Reasoned):
    """A member as it is asked for."""

    name: Text
    email: Text = ""
    kind: MemberKind = MemberKind.PERSON
    teams: Names = ()


class MemberEditBody(Reasoned):
    """What changes of a member; a list of teams replaces the one before."""

    email: Text | None = None
    kind: MemberKind | None = None
    teams: Names | None = None


@routes.get("/members")
async def list_members(caller: Reader) -> MembersView:
    """Every member."""
    owned = await members.keys_of(caller.desk)
    return MembersView(members=[_view(one, owned.get(one.name, 0)) for one in await members.list_members(caller.desk)])


@routes.post("/members", status_code=status.HTTP_201_CREATED)
async def add_member(caller: Annotated[Caller, Depends(Needs("member.add"))], body: NewMemberBody) -> MemberView:
    """A new member of teams that there are."""
    wanted = NewMember(name=body.name, email=body.email, kind=body.kind, teams=body.teams)
    return await _told(caller, await caller.do(members.add_member, wanted=wanted, reason=body.reason))


@routes.get("/members/{name:path}")
async def show_member(caller: Reader, name: str) -> MemberView:
    """One member."""
    return await _told(caller, await members.show_member(caller.desk, name))


@routes.patch("/members/{name:path}")
async def update_member(
    caller: Annotated[Caller, Depends(Needs("member.update"))], name: str, body: MemberEditBody
) -> MemberView:
    """Change where a member is reached, what it is, and its teams."""
    edit = edit_of(MemberEdit, body)
    return await _told(caller, await caller.do(members.update_member, name=name, edit=edit, reason=body.reason))


@routes.delete("/members/{name:path}")
async def remove_member(
    caller: Annotated[Caller, Depends(Needs("member.remove"))], name: str, reason: Text = ""
) -> MemberView:
    """Remove a member who owns no key that could still work."""
    return _view(await caller.do(members.remove_member, name=name, reason=reason), 0)


async def _told(caller: Caller, member: Member) -> MemberView:
    return _view(member, (await members.keys_of(caller.desk)).get(member.name, 0))


def _view(member: Member, keys: int) -> MemberView:
    return MemberView(
        name=member.name,
        email=member.email,
        kind=member.kind,
        teams=member.teams,
        state=member.state,
        keys=keys,
        created_at=moment(member.created_ns),
    )
