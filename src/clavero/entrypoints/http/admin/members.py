"""Members: who can own keys. Names may hold any letter, so they stand in paths as they are."""

from typing import Annotated

from fastapi import Depends, status

from clavero.control import members
from clavero.control.members import MemberEdit, NewMember
from clavero.domain.members import Member, MemberKind, MemberState
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Moment, Names, Overriding, Reasoned, Text, View, edit_of, moment

routes = router("members")
Reader = Annotated[Caller, Depends(Needs("member.read"))]


class MemberView(View):
    """A member, and how many keys that are not over are theirs.

    The keys of one who left are to have another owner by `transfer_due_at`.
    """

    name: str
    email: str
    kind: MemberKind
    teams: tuple[str, ...]
    state: MemberState
    keys: int
    created_at: Moment
    left_at: Moment
    transfer_due_at: Moment


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


class HeirBody(Overriding):
    """Who is to own it from now on."""

    to: Text


class HandoverView(View):
    """Which keys went from whom to whom."""

    name: str
    to: str
    keys: list[str]


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


@routes.post("/members/{name:path}/leave")
async def leave(
    caller: Annotated[Caller, Depends(Needs("member.leave"))], name: str, body: Reasoned | None = None
) -> MemberView:
    """The member has left: no key begins for them, and those they own are to have another owner."""
    return await _told(caller, await caller.do(members.leave, name=name, reason=_why(body)))


@routes.post("/members/{name:path}/rejoin")
async def rejoin(
    caller: Annotated[Caller, Depends(Needs("member.rejoin"))], name: str, body: Reasoned | None = None
) -> MemberView:
    """The member is back, and answers for the keys that are still theirs."""
    return await _told(caller, await caller.do(members.rejoin, name=name, reason=_why(body)))


@routes.post("/members/{name:path}/transfer")
async def transfer_all(
    caller: Annotated[Caller, Depends(Needs("member.transfer"))], name: str, body: HeirBody
) -> HandoverView:
    """Give every key of a member that is not over to another one."""
    done = await caller.do(members.transfer_all, name=name, to=body.to, override=body.override, reason=body.reason)
    return HandoverView(name=done.name, to=done.to, keys=list(done.keys))


@routes.delete("/members/{name:path}")
async def remove_member(
    caller: Annotated[Caller, Depends(Needs("member.remove"))], name: str, reason: Text = ""
) -> MemberView:
    """Remove a member who owns no key that could still work."""
    return _view(await caller.do(members.remove_member, name=name, reason=reason), 0)


def _why(body: Reasoned | None) -> str:
    return body.reason if body else ""


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
        left_at=moment(member.left_ns),
        transfer_due_at=moment(member.due_ns),
    )
