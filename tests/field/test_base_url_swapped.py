"""CVE-2026-41487: a base URL was changed while the stored secret stayed, and the next call sent it to the new host.

Here the secret is sealed for its origin: through the front door it is retired, through the database it does not open.
"""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.control import credentials
from clavero.control.commit import Changing, operation, perform
from clavero.control.credentials import ProviderEdit
from clavero.domain.access import SYSTEM
from clavero.domain.credentials import Credential, CredentialState, Network, Provider, ProviderKind
from clavero.domain.origins import read_origin
from clavero.domain.secret import Secret
from clavero.vault.box import CannotOpen
from clavero.vault.columns import credential_cell

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.openai.com", models=("*",))
EVIL = "https://evil.example"


@operation("test.overwrite")
async def overwrite(change: Changing, *, thing: Credential) -> None:
    await change.put(thing)


@pytest.mark.parametrize(
    "base_url", [EVIL, "https://api.openai.com.evil.example", "https://api.openai.com:8443", "https://eu.openai.com"]
)
async def test_a_new_origin_retires_every_credential_and_says_which(tmp_path: Path, base_url: str) -> None:
    async with open_desk(tmp_path) as desk:
        await perform(desk, SYSTEM, credentials.add_provider, provider=OPENAI)
        secret = Secret("sk-" + os.urandom(20).hex())
        for _ in range(2):
            await perform(desk, SYSTEM, credentials.add_credential, provider="openai", secret=secret)
        changed = await perform(
            desk, SYSTEM, credentials.update_provider, name="openai", edit=ProviderEdit(base_url=base_url)
        )
        assert [one.version for one in changed.retired] == [1, 2]
        for one in await credentials.list_credentials(desk):
            assert (one.state, one.sealed) == (CredentialState.RETIRED, b"")


async def test_swapping_back_and_forth_brings_no_secret_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await perform(desk, SYSTEM, credentials.add_provider, provider=OPENAI)
        secret = Secret("sk-" + os.urandom(20).hex())
        await perform(desk, SYSTEM, credentials.add_credential, provider="openai", secret=secret)
        for base_url in (EVIL, OPENAI.base_url):
            edit = ProviderEdit(base_url=base_url)
            await perform(desk, SYSTEM, credentials.update_provider, name="openai", edit=edit)
        active = [one for one in await credentials.list_credentials(desk) if one.state is CredentialState.ACTIVE]
        assert active == []


async def test_rows_rewritten_behind_our_back_do_not_open(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await perform(desk, SYSTEM, credentials.add_provider, provider=OPENAI)
        secret = Secret("sk-" + os.urandom(20).hex())
        kept = await perform(desk, SYSTEM, credentials.add_credential, provider="openai", secret=secret)
        forged = replace(kept, origin=read_origin(EVIL, Network.PUBLIC).origin)
        await perform(desk, SYSTEM, overwrite, thing=forged)
        async with desk.store.read() as look:
            stored = await look.get(Credential, kept.id)
            barrier = await desk.vault.barrier(look)
        assert stored is not None
        with pytest.raises(CannotOpen):
            barrier.open(stored.sealed, credential_cell(stored))
