import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.control import credentials
from clavero.control.commit import Desk, perform
from clavero.control.credentials import ProviderEdit
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.credentials import Credential, CredentialState, Model, Network, Provider, ProviderKind
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue, NotFound
from clavero.domain.secret import Secret
from clavero.domain.tokens import Kind, mint
from clavero.vault.box import CannotOpen
from clavero.vault.columns import credential_cell

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.openai.com/v1/", models=("gpt-*",))
CANARY = "sk-proj-" + os.urandom(20).hex()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def added(desk: Desk, provider: Provider = OPENAI) -> Provider:
    return await perform(desk, SYSTEM, credentials.add_provider, provider=provider)


async def keyed(desk: Desk, secret: str = CANARY) -> Credential:
    return await perform(desk, SYSTEM, credentials.add_credential, provider="openai", secret=Secret(secret))


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def edited(desk: Desk, **more: object) -> credentials.Changed:
    return await perform(desk, SYSTEM, credentials.update_provider, name="openai", edit=ProviderEdit(**more))  # type: ignore[arg-type] # facts of a test


# --- providers


async def test_a_provider_is_stored_with_its_base_url_in_one_form(desk: Desk) -> None:
    provider = await added(desk)
    assert provider.base_url == "https://api.openai.com"
    assert provider.created_ns > 0
    assert await credentials.list_providers(desk) == [provider]
    with pytest.raises(AlreadyExists):
        await added(desk)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("name", {"name": "Open AI"}),
        ("name", {"name": "open/ai"}),
        ("base_url", {"base_url": "http://api.openai.com"}),
        ("base_url", {"base_url": "https://user:hunter2@api.openai.com"}),
        ("base_url", {"base_url": "https://169.254.169.254"}),
        ("network", {"base_url": "https://10.0.0.1"}),
        ("models", {"models": ("*-x",)}),
    ],
)
async def test_a_provider_that_breaks_a_rule_is_refused(desk: Desk, field: str, more: dict[str, object]) -> None:
    with pytest.raises(InvalidValue) as caught:
        await added(desk, replace(OPENAI, **more))
    assert caught.value.field == field
    assert "hunter2" not in f"{caught.value} {caught.value.fix}"
    assert await credentials.list_providers(desk) == []


async def test_a_provider_is_switched_off_and_on(desk: Desk) -> None:
    await added(desk)
    assert not (await perform(desk, SYSTEM, credentials.disable_provider, name="openai")).enabled
    assert (await perform(desk, SYSTEM, credentials.enable_provider, name="openai")).enabled


async def test_an_unknown_provider_comes_with_the_nearest(desk: Desk) -> None:
    await added(desk)
    with pytest.raises(NotFound) as caught:
        await perform(desk, SYSTEM, credentials.disable_provider, name="openia")
    assert caught.value.suggestion == "openai"
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, credentials.add_credential, provider="openia", secret=Secret(CANARY))


async def test_a_provider_goes_with_its_credentials_but_not_while_a_model_needs_it(desk: Desk) -> None:
    await added(desk)
    await keyed(desk)
    model = Model(name="support", provider="openai", served="gpt-4o-mini")
    await perform(desk, SYSTEM, credentials.set_model, model=model)
    with pytest.raises(InUse, match="model support"):
        await perform(desk, SYSTEM, credentials.remove_provider, name="openai")
    await perform(desk, SYSTEM, credentials.remove_model, name="support")
    await perform(desk, SYSTEM, credentials.remove_provider, name="openai")
    assert await credentials.list_providers(desk) == []
    assert await credentials.list_credentials(desk) == []


async def test_the_audit_row_of_a_provider_is_about_the_provider(desk: Desk) -> None:
    await added(desk)
    await keyed(desk)
    await edited(desk, base_url="https://other.example")
    await perform(desk, SYSTEM, credentials.remove_provider, name="openai")
    async with desk.store.read() as look:
        rows = await look.find(AuditRow)
    told = [(row.action, row.object_kind) for row in rows]
    assert told == [
        ("provider.add", "provider"),
        ("credential.add", "credential"),
        ("provider.update", "provider"),
        ("provider.remove", "provider"),
    ]


# --- credentials


async def test_a_secret_is_sealed_and_opens_for_its_cell_alone(desk: Desk, tmp_path: Path) -> None:
    await added(desk)
    credential = await keyed(desk)
    assert (credential.version, credential.origin) == (1, "https://api.openai.com:443")
    assert credential.last_four == CANARY[-4:]
    async with desk.store.read() as look:
        barrier = await desk.vault.barrier(look)
    assert barrier.open(credential.sealed, credential_cell(credential)).reveal() == CANARY
    for moved in (
        replace(credential, origin="https://evil.example:443"),
        replace(credential, version=2),
        replace(credential, id="x"),
    ):
        with pytest.raises(CannotOpen):
            barrier.open(credential.sealed, credential_cell(moved))
    await desk.store.close()
    assert CANARY.encode() not in everything_in(tmp_path)
    assert credential.id.encode() in everything_in(tmp_path)


async def test_versions_count_up_and_are_never_given_again(desk: Desk) -> None:
    await added(desk)
    first, second = await keyed(desk), await keyed(desk, CANARY + "x")
    assert [first.version, second.version] == [1, 2]
    await perform(desk, SYSTEM, credentials.remove_credential, credential_id=second.id)
    third = await keyed(desk)
    assert third.version == 3
    assert [one.version for one in await credentials.list_credentials(desk, provider="openai")] == [3, 2, 1]
    assert len({first.id, second.id, third.id}) == 3


async def test_a_removed_credential_keeps_nothing_of_its_secret(desk: Desk) -> None:
    await added(desk)
    credential = await keyed(desk)
    removed = await perform(desk, SYSTEM, credentials.remove_credential, credential_id=credential.id)
    assert (removed.state, removed.sealed) == (CredentialState.RETIRED, b"")
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, credentials.remove_credential, credential_id="nobody")


async def test_a_key_of_ours_is_no_provider_key(desk: Desk) -> None:
    await added(desk)
    own = mint(Kind.VIRTUAL_KEY, "prod", os.urandom)[1]
    with pytest.raises(InvalidValue) as caught:
        await perform(desk, SYSTEM, credentials.add_credential, provider="openai", secret=own)
    assert own.reveal() not in str(caught.value)
    assert await credentials.list_credentials(desk) == []


async def test_a_change_that_keeps_the_origin_keeps_the_credentials(desk: Desk) -> None:
    await added(desk)
    credential = await keyed(desk)
    changed = await edited(desk, base_url="https://API.openai.com:443/eu/v1", models=("*",))
    assert changed.retired == ()
    assert (changed.provider.base_url, changed.provider.models) == ("https://api.openai.com/eu", ("*",))
    assert await credentials.list_credentials(desk) == [credential]


async def test_a_network_class_is_checked_against_the_address_again(desk: Desk) -> None:
    await added(desk, replace(OPENAI, base_url="http://127.0.0.1:9", network=Network.LOOPBACK))
    with pytest.raises(InvalidValue):
        await edited(desk, network=Network.PUBLIC)


# --- models


async def test_a_model_leads_to_a_provider_that_there_is(desk: Desk) -> None:
    await added(desk)
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, credentials.set_model, model=Model(name="a", provider="openia", served="x"))
    model = await perform(desk, SYSTEM, credentials.set_model, model=Model(name="a", provider="openai", served="x"))
    again = await perform(desk, SYSTEM, credentials.set_model, model=replace(model, served="y", created_ns=0))
    assert again.created_ns == model.created_ns
    assert [one.served for one in await credentials.list_models(desk)] == ["y"]


@pytest.mark.parametrize(("fallback", "good"), [("b", True), ("openai/x", True), ("openai:x", True), ("gpt-9", True), ("", True), ("a", False), ("nobody/x", False), ("x y", False)])  # fmt: skip
async def test_a_fallback_leads_somewhere(desk: Desk, fallback: str, *, good: bool) -> None:
    await added(desk)
    await perform(desk, SYSTEM, credentials.set_model, model=Model(name="b", provider="openai", served="x"))
    model = Model(name="a", provider="openai", served="x", fallback=fallback)
    if good:
        assert (await perform(desk, SYSTEM, credentials.set_model, model=model)).fallback == fallback
    else:
        with pytest.raises((InvalidValue, NotFound)):
            await perform(desk, SYSTEM, credentials.set_model, model=model)


async def test_a_model_that_another_falls_back_to_stays(desk: Desk) -> None:
    await added(desk)
    for name, fallback in (("b", ""), ("a", "b")):
        model = Model(name=name, provider="openai", served="x", fallback=fallback)
        await perform(desk, SYSTEM, credentials.set_model, model=model)
    with pytest.raises(InUse):
        await perform(desk, SYSTEM, credentials.remove_model, name="b")
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, credentials.remove_model, name="c")
