"""Changes of one key by several people at once, on both databases: none writes over another."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.store import postgres_store, sqlite_store
from clavero.control import credentials, keys
from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.find import key_named
from clavero.control.keys import NewKey
from clavero.control.unseal import Tools, open_desk
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow, first_bad
from clavero.domain.credentials import Network, Provider, ProviderKind
from clavero.domain.keys import KeyState
from clavero.domain.refusals import AlreadyExists
from clavero.domain.secret import Secret
from clavero.testing.unsealer import MemoryUnsealer

NAME = "prod-mail-01"


@pytest.fixture(params=["sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    if request.param == "sqlite":
        store = sqlite_store(tmp_path / "clavero.db")
    else:
        store = postgres_store(_fresh(request.getfixturevalue("postgres_url")))
    await store.open()
    yield await open_desk(Tools(store, SystemClock(), SystemDice()), MemoryUnsealer(os.urandom))
    await store.close()


def _fresh(url: str) -> str:
    """A database of this test's own."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS control_keys WITH (FORCE)")
        server.execute("CREATE DATABASE control_keys")
    return make_url(url).set(database="control_keys").render_as_string(hide_password=False)


@operation("test.slow")
async def slow(change: Changing, *, name: str, read: asyncio.Event) -> None:
    """Reads a key, lets others run, and writes it back."""
    key = await key_named(change, name)
    read.set()
    await asyncio.sleep(0.1)
    await change.put(replace(key, owner="slow"))


async def made(desk: Desk, name: str = NAME) -> keys.Issued:
    return await perform(desk, SYSTEM, keys.create, wanted=NewKey(name=name, owner="asha"))


@pytest.mark.requirement(73)
async def test_a_change_that_read_before_a_revocation_does_not_bring_the_key_back(desk: Desk) -> None:
    await made(desk)
    read = asyncio.Event()
    changing = asyncio.ensure_future(perform(desk, SYSTEM, slow, name=NAME, read=read))
    await read.wait()
    await perform(desk, SYSTEM, keys.revoke, name=NAME)
    await changing
    key = await keys.show_key(desk, NAME)
    assert (key.state, key.owner) == (KeyState.REVOKED, "slow")


async def test_rotations_at_once_lose_no_version(desk: Desk) -> None:
    await made(desk)
    issued = await asyncio.gather(*(perform(desk, SYSTEM, keys.rotate, name=NAME) for _ in range(5)))
    key = await keys.show_key(desk, NAME)
    assert [one.number for one in key.versions] == [1, 2, 3, 4, 5, 6]
    assert {one.digest for one in key.versions[1:]} == {one.key.versions[-1].digest for one in issued}
    async with desk.store.read() as look:
        assert first_bad(await look.find(AuditRow)) is None


async def test_one_of_many_gets_a_name_and_the_others_hear_of_a_free_one(desk: Desk) -> None:
    found = await asyncio.gather(*(made(desk) for _ in range(5)), return_exceptions=True)
    assert len([one for one in found if isinstance(one, keys.Issued)]) == 1
    assert {one.suggestion for one in found if isinstance(one, AlreadyExists)} == {"prod-mail-02"}


async def test_credentials_added_at_once_have_versions_of_their_own(desk: Desk) -> None:
    provider = Provider(
        name="local", kind=ProviderKind.OPENAI_LIKE, base_url="http://127.0.0.1:9/v1", network=Network.LOOPBACK
    )
    await perform(desk, SYSTEM, credentials.add_provider, provider=provider)
    work = credentials.add_credential
    await asyncio.gather(*(perform(desk, SYSTEM, work, provider="local", secret=Secret("x" * 20)) for _ in range(4)))
    assert [one.version for one in await credentials.list_credentials(desk)] == [4, 3, 2, 1]
