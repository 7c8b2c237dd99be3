from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import keys, members, organisation
from clavero.control.commit import Desk, perform
from clavero.control.keys import KeyEdit, NewKey
from clavero.control.members import MemberEdit, NewMember
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.keys import Key
from clavero.domain.members import Member, MemberKind, MemberState
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue, NotFound, OwnerLeft, OwnerUnknown, StateForbids


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def key(desk: Desk, owner: str = "asha", name: str = "prod-chat-01") -> Key:
    return (await perform(desk, SYSTEM, keys.create, wanted=NewKey(name=name, owner=owner))).key


async def add(desk: Desk, name: str, **more: object) -> Member:
    return await perform(desk, SYSTEM, members.add_member, wanted=NewMember(name=name, **more))  # type: ignore[arg-type] # facts of a test


@pytest.mark.requirement(74)
async def test_the_first_owner_is_made_with_the_first_key_and_no_other(desk: Desk) -> None:
    assert (await key(desk)).owner == "asha"
    with pytest.raises(OwnerUnknown) as caught:
        await key(desk, "ahsa", "prod-chat-02")
    assert (caught.value.suggestion, caught.value.field) == ("asha", "owner")
    assert "clavero member add ahsa" in caught.value.fix
    assert [one.name for one in await members.list_members(desk)] == ["asha"]
    assert [one.name for one in await keys.list_keys(desk)] == ["prod-chat-01"]
    await add(desk, "bo")
    assert (await key(desk, " bo ", "prod-chat-02")).owner == "bo"


@pytest.mark.requirement(74)
async def test_no_key_is_given_to_a_stranger(desk: Desk) -> None:
    await key(desk)
    with pytest.raises(OwnerUnknown):
        await perform(desk, SYSTEM, keys.update, name="prod-chat-01", edit=KeyEdit(owner="bo"))
    assert (await keys.show_key(desk, "prod-chat-01")).owner == "asha"


async def test_a_member_says_where_it_is_reached_and_its_teams(desk: Desk) -> None:
    await perform(desk, SYSTEM, organisation.add_team, name="support")
    made = await add(desk, "asha", email=" asha@example.com ", teams=("support", "support"))
    assert (made.email, made.kind, made.teams) == ("asha@example.com", MemberKind.PERSON, ("support",))
    edit = MemberEdit(email="", kind=MemberKind.MACHINE, teams=())
    await perform(desk, SYSTEM, members.update_member, name="asha", edit=edit)
    shown = await members.show_member(desk, "asha")
    assert (shown.email, shown.kind, shown.teams) == ("", MemberKind.MACHINE, ())
    await perform(desk, SYSTEM, members.update_member, name="asha", edit=MemberEdit())
    assert await members.show_member(desk, "asha") == shown


async def test_names_and_addresses_are_their_own(desk: Desk) -> None:
    await add(desk, "asha", email="asha@example.com")
    with pytest.raises(AlreadyExists):
        await add(desk, "Asha")
    with pytest.raises(InvalidValue, match="asha has this one"):
        await add(desk, "bo", email="ASHA@example.com")
    await perform(desk, SYSTEM, members.update_member, name="asha", edit=MemberEdit(email="Asha@example.com"))


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 121, "sk-" + "a" * 40])
async def test_a_name_is_one_short_line_and_no_key(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidValue):
        await add(desk, name)


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(InvalidValue):
        await add(desk, "asha", email="nowhere")
    with pytest.raises(NotFound, match="team"):
        await add(desk, "asha", teams=("support",))
    await add(desk, "asha")
    with pytest.raises(NotFound) as caught:
        await members.show_member(desk, "ahsa")
    assert caught.value.suggestion == "asha"


async def test_who_owns_a_key_that_could_work_stays(desk: Desk) -> None:
    await key(desk)
    assert await members.keys_of(desk) == {"asha": 1}
    with pytest.raises(InUse, match="prod-chat-01"):
        await perform(desk, SYSTEM, members.remove_member, name="asha")
    await perform(desk, SYSTEM, keys.revoke, name="prod-chat-01")
    assert await members.keys_of(desk) == {}
    await perform(desk, SYSTEM, members.remove_member, name="asha", reason="tidy")
    assert await members.list_members(desk) == []
    async with desk.store.read() as look:
        row = (await look.find(AuditRow))[-1]
    assert (row.action, row.object_kind, row.object_id, row.reason) == ("member.remove", "member", "asha", "tidy")


async def test_a_team_with_members_stays(desk: Desk) -> None:
    await perform(desk, SYSTEM, organisation.add_team, name="support")
    await add(desk, "asha", teams=("support",))
    with pytest.raises(InUse, match="member asha"):
        await perform(desk, SYSTEM, organisation.remove_team, name="support")


# --- leaving


@pytest.mark.requirement(74)
async def test_who_has_left_owns_nothing_new(desk: Desk) -> None:
    await key(desk)
    left = await perform(desk, SYSTEM, members.leave, name="asha", reason="another job")
    assert (left.state, left.due_ns - left.left_ns) == (MemberState.LEFT, 14 * 86_400 * 10**9)
    with pytest.raises(OwnerLeft, match="asha"):
        await key(desk, "asha", "prod-chat-02")
    await add(desk, "bo")
    await key(desk, "bo", "prod-chat-02")
    with pytest.raises(OwnerLeft):
        await perform(desk, SYSTEM, keys.update, name="prod-chat-02", edit=KeyEdit(owner="asha"))
    with pytest.raises(OwnerLeft):
        await perform(desk, SYSTEM, keys.transfer, name="prod-chat-02", to="asha")
    with pytest.raises(StateForbids, match="no longer here") as caught:
        await perform(desk, SYSTEM, members.leave, name="asha")
    assert caught.value.fix == "clavero member transfer asha --to MEMBER"


async def test_a_key_of_who_left_can_be_rotated_and_ended_but_not_put_to_work_again(desk: Desk) -> None:
    await key(desk)
    await perform(desk, SYSTEM, members.leave, name="asha")
    await perform(desk, SYSTEM, keys.rotate, name="prod-chat-01")
    await perform(desk, SYSTEM, keys.disable, name="prod-chat-01")
    with pytest.raises(OwnerLeft) as caught:
        await perform(desk, SYSTEM, keys.enable, name="prod-chat-01")
    assert caught.value.fix == "clavero key transfer prod-chat-01 --to MEMBER"
    await add(desk, "bo")
    await perform(desk, SYSTEM, keys.transfer, name="prod-chat-01", to="bo")
    await perform(desk, SYSTEM, keys.enable, name="prod-chat-01")
    await perform(desk, SYSTEM, members.rejoin, name="asha")
    await perform(desk, SYSTEM, keys.revoke, name="prod-chat-01")
    with pytest.raises(StateForbids, match="revoked"):
        await perform(desk, SYSTEM, keys.transfer, name="prod-chat-01", to="asha")


async def test_all_keys_that_are_not_over_go_at_once_and_the_audit_names_whose_they_were(desk: Desk) -> None:
    for name in ("prod-chat-01", "prod-chat-02", "dev-chat-01"):
        await key(desk, name=name)
    await perform(desk, SYSTEM, keys.revoke, name="dev-chat-01")
    await add(desk, "bo")
    done = await perform(desk, SYSTEM, members.transfer_all, name="asha", to="bo", reason="handover")
    assert done.keys == ("prod-chat-01", "prod-chat-02")
    assert {one.name: one.owner for one in await keys.list_keys(desk)} == {
        "prod-chat-01": "bo", "prod-chat-02": "bo", "dev-chat-01": "asha",
    }  # fmt: skip
    async with desk.store.read() as look:
        row = (await look.find(AuditRow))[-1]
    assert (row.action, row.object_kind, row.object_id) == ("member.transfer", "member", "asha")
