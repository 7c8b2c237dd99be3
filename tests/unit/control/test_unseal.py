import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.store import SqlStore, sqlite_store
from clavero.control.commit import Desk, perform
from clavero.control.keys import NewKey, create
from clavero.control.unseal import Tools
from clavero.control.unseal import open_desk as open_desk_of
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.names import DEFAULT_RULE, NameRule
from clavero.domain.sealing import Purpose, SealedKey
from clavero.domain.startup import StartFailure
from clavero.testing.unsealer import MemoryUnsealer
from clavero.vault.keyring import RootKey, RootKeys, WrongRootKey

ROOT = RootKey(os.urandom(32))
CLOCK, DICE = SystemClock(), SystemDice()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = sqlite_store(tmp_path / "clavero.db")
    await opened.open()
    yield opened
    await opened.close()


async def open_desk(store: SqlStore, root: RootKey, rule: NameRule = DEFAULT_RULE) -> Desk:
    return await open_desk_of(Tools(store, CLOCK, DICE, rule), MemoryUnsealer(os.urandom, RootKeys(root)))


async def rows_of(store: SqlStore) -> list[SealedKey]:
    async with store.read() as look:
        return await look.find(SealedKey)


async def test_a_first_start_makes_the_vault_and_says_so_in_the_audit_log(store: SqlStore) -> None:
    await open_desk(store, ROOT)
    assert {row.purpose for row in await rows_of(store)} == {Purpose.CHECK, Purpose.TENANT, Purpose.PEPPER}
    async with store.read() as look:
        assert [row.action for row in await look.find(AuditRow)] == ["vault.create"]
        assert ROOT.value.hex() not in repr(await rows_of(store))


async def test_a_later_start_opens_the_same_vault_and_changes_nothing(store: SqlStore) -> None:
    first = await open_desk(store, ROOT)
    issued = await perform(first, SYSTEM, create, wanted=NewKey(name="prod-mail-01", owner="asha"))
    before = await rows_of(store)
    rule = NameRule("x+", "x")
    again = await open_desk(store, ROOT, rule)
    version = issued.key.versions[0]
    assert again.fingerprints.same(issued.secret.reveal(), version.pepper, version.digest)
    assert again.names is rule
    assert await rows_of(store) == before


async def test_a_wrong_root_key_stops_the_start_and_changes_nothing(store: SqlStore) -> None:
    await open_desk(store, ROOT)
    before = await rows_of(store)
    with pytest.raises(WrongRootKey, match=ROOT.id):
        await open_desk(store, RootKey(os.urandom(32)))
    assert await rows_of(store) == before


@pytest.mark.parametrize("purpose", [Purpose.CHECK, Purpose.PEPPER])
async def test_a_damaged_vault_stops_the_start_with_one_line(store: SqlStore, purpose: Purpose) -> None:
    await open_desk(store, ROOT)
    async with store.write() as writing:
        for row in await writing.find(SealedKey):
            if row.purpose is purpose is Purpose.CHECK:
                await writing.delete(SealedKey, row.id)
            elif row.purpose is purpose:
                await writing.put(replace(row, sealed=row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])))
    with pytest.raises(StartFailure) as caught:
        await open_desk(store, ROOT)
    assert caught.value.code == "vault_damaged"
    assert "\n" not in caught.value.message


async def test_a_vault_that_was_emptied_is_not_made_anew_above_keys_that_need_the_old_one(store: SqlStore) -> None:
    desk = await open_desk(store, ROOT)
    await perform(desk, SYSTEM, create, wanted=NewKey(name="prod-mail-01", owner="asha"))
    async with store.write() as writing:
        for row in await writing.find(SealedKey):
            await writing.delete(SealedKey, row.id)
    with pytest.raises(StartFailure, match="vault") as caught:
        await open_desk(store, ROOT)
    assert caught.value.code == "vault_damaged"
    assert await rows_of(store) == []


async def test_two_first_starts_at_once_share_one_vault(store: SqlStore) -> None:
    one, other = await asyncio.gather(*(open_desk(store, ROOT) for _ in range(2)))
    assert len(await rows_of(store)) == 3
    assert one.fingerprints.digest("x", 1) == other.fingerprints.digest("x", 1)
