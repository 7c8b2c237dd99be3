import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import credentials, keys
from clavero.control.commit import Desk, perform
from clavero.control.keys import Issued, NewKey
from clavero.control.whois import By, Found, whois
from clavero.domain.access import SYSTEM
from clavero.domain.credentials import Provider, ProviderKind
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind, mint_for


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def made(desk: Desk, name: str) -> Issued:
    return await perform(desk, SYSTEM, keys.create, wanted=NewKey(name=name, owner="asha"))


async def seen(desk: Desk, fragment: str) -> list[tuple[str, By, int]]:
    return [(one.key.name, one.by, one.version) for one in (await whois(desk, fragment)).keys]


@pytest.mark.requirement(5)
async def test_a_whole_key_is_its_key_and_version(desk: Desk) -> None:
    first = await made(desk, "prod-mail-01")
    await made(desk, "prod-mail-02")
    second = await perform(desk, SYSTEM, keys.rotate, name="prod-mail-01")
    assert await seen(desk, first.secret.reveal()) == [("prod-mail-01", By.SECRET, 1)]
    assert await seen(desk, f"x-api-key: {second.secret.reveal()}") == [("prod-mail-01", By.SECRET, 2)]


async def test_a_key_with_our_id_and_another_secret_is_forged(desk: Desk) -> None:
    one = await made(desk, "prod-mail-01")
    forged = mint_for(Kind.VIRTUAL_KEY, "prod", one.key.id, os.urandom)
    found = await whois(desk, forged.reveal())
    assert found.forged
    assert [(match.key.name, match.by) for match in found.keys] == [("prod-mail-01", By.ID)]


@pytest.mark.requirement(5)
async def test_a_piece_is_recognised_by_id_by_tail_and_by_name(desk: Desk) -> None:
    one = await made(desk, "prod-mail-01")
    await made(desk, "prod-post-01")
    kid, secret = one.key.id, one.secret.reveal()
    assert await seen(desk, kid) == [("prod-mail-01", By.ID, 0)]
    assert await seen(desk, secret[:30]) == [("prod-mail-01", By.ID, 0)]
    assert await seen(desk, kid[2:9]) == [("prod-mail-01", By.ID, 0)]
    assert await seen(desk, f"…{secret[-9:]}") == [("prod-mail-01", By.TAIL, 1)]
    assert await seen(desk, "mail") == [("prod-mail-01", By.NAME, 0)]
    assert await whois(desk, "nothing-of-ours") == Found()


async def test_a_retired_key_is_still_known(desk: Desk) -> None:
    one = await made(desk, "prod-mail-01")
    await perform(desk, SYSTEM, keys.revoke, name="prod-mail-01", reason="left")
    await perform(desk, SYSTEM, keys.retire, name="prod-mail-01")
    assert await seen(desk, one.secret.reveal()) == [("prod-mail-01", By.SECRET, 1)]


async def test_wildcards_of_the_database_mean_themselves(desk: Desk) -> None:
    await made(desk, "prod-mail-01")
    assert await seen(desk, "prod_mail") == []
    assert await seen(desk, "____") == []


async def test_a_provider_s_key_is_known_by_its_end(desk: Desk) -> None:
    provider = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.example")
    await perform(desk, SYSTEM, credentials.add_provider, provider=provider)
    await perform(
        desk, SYSTEM, credentials.add_credential, provider="openai", secret=Secret("not-a-key-" + "0" * 12 + "wxyz")
    )
    (found,) = (await whois(desk, "…wxyz")).credentials
    assert (found.provider, found.version) == ("openai", 1)
