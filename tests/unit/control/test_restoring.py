from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import keys, signin
from clavero.control.audit import newest
from clavero.control.commit import Desk, perform
from clavero.control.keys import NewKey
from clavero.control.recovery import Gap, Recovered
from clavero.control.restoring import account, moment, settle
from clavero.domain.access import SYSTEM, Session
from clavero.domain.keys import Key, KeyState
from clavero.domain.ledger import BootId
from clavero.domain.tombstones import Tombstone


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as made:
        yield made


async def test_what_ended_after_the_backup_is_ended_again_with_a_row_each(desk: Desk) -> None:
    issued = await perform(desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner="asha"))
    stones = [
        Tombstone(kind="key", id=issued.key.id, at_ns=10**18, reason="leaked"),
        Tombstone(kind="key", id=issued.key.id, at_ns=10**18 + 1, reason="leaked"),
        Tombstone(kind="key", id="of-nobody", at_ns=10**18),
        Tombstone(kind="planet", id="x", at_ns=10**18),
    ]
    assert await settle(desk, SYSTEM, "b.clavero, head 7", stones) == 1
    async with desk.store.read() as look:
        key = await look.get(Key, issued.key.id)
    assert key is not None
    assert (key.state, key.reason) == (KeyState.REVOKED, "leaked")
    buried, restored, *_ = await newest(desk)
    assert (restored.action, restored.reason) == ("db.restore", "b.clavero, head 7")
    assert (buried.action, buried.object_id) == ("db.bury", issued.key.id)
    assert buried.reason == "ended 2001-09-09 01:46:40 UTC, after the backup. leaked"
    assert await settle(desk, SYSTEM, "again", stones) == 0


async def test_every_browser_is_signed_out(desk: Desk) -> None:
    link = await perform(desk, SYSTEM, signin.create_link)
    await signin.sign_in(desk, link, "")
    await settle(desk, SYSTEM, "b", [])
    async with desk.store.read() as look:
        assert [one for one in await look.find(Session) if not one.ended_ns] == []


async def test_an_end_is_noted_beside_the_database_by_whoever_brings_it_about(tmp_path: Path) -> None:
    from msgspec.structs import replace

    noted: list[Tombstone] = []
    async with open_desk(tmp_path) as plain:
        desk = replace(plain, bury=noted.extend)
        issued = await perform(desk, SYSTEM, keys.create, wanted=NewKey(name="prod-mail-01", owner="asha"))
        await perform(desk, SYSTEM, keys.disable, name="prod-mail-01")
        assert noted == []
        await perform(desk, SYSTEM, keys.revoke, name="prod-mail-01", reason="leaked")
    assert [(one.kind, one.id, one.reason) for one in noted] == [("key", issued.key.id, "leaked")]


def test_the_account_names_gaps_only_where_there_are_some() -> None:
    assert "gap" not in account(Recovered(2))
    assert "1 gaps" in account(Recovered(2, gaps=(Gap(BootId("a"), "gone"),)))
    assert moment(0) == "1970-01-01 00:00:00 UTC"
