"""A worker as it is composed: it follows every change while it serves, and ends without a trace."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.gateway.house import House, another_worker, chat, open_house

from clavero.bootstrap.gateway import kind_of
from clavero.control import budgets, credentials
from clavero.control.commit import perform
from clavero.control.credentials import ProviderEdit
from clavero.domain.access import SYSTEM
from clavero.domain.keys import Key
from clavero.domain.secret import Secret


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with one provider."""
    async with open_house(tmp_path / "data") as house:
        await house.simulated()
        yield house
    assert not [line for line in house.logged if line.startswith("failure")]


async def status(house: House, key: str, model: str = "gpt-4o-mini") -> tuple[int, str]:
    said = await house.post("/v1/chat/completions", chat(model), key)
    return said.status, "" if said.status == 200 else said.code


async def test_a_provider_that_is_turned_off_or_on_is_heard_of(house: House) -> None:
    key = await house.key()
    await perform(house.desk, SYSTEM, credentials.disable_provider, name="primary")
    await house.published()
    assert await status(house, key) == (404, "model_not_found")
    await perform(house.desk, SYSTEM, credentials.enable_provider, name="primary")
    await house.published()
    assert await status(house, key) == (200, "")


async def test_a_provider_that_moves_is_called_at_its_new_place_with_the_key_sealed_for_it(house: House) -> None:
    key = await house.key()
    other = await house.simulated("other", ["none"])
    edit = ProviderEdit(base_url=other.url)
    await perform(house.desk, SYSTEM, credentials.update_provider, name="primary", edit=edit)
    await house.published()
    assert await status(house, key) == (503, "no_credential")  # the old key was sealed for the old place
    secret = Secret("upstream-" + house.desk.dice.token(24).hex())
    await perform(house.desk, SYSTEM, credentials.add_credential, provider="primary", secret=secret)
    await house.published()
    assert await status(house, key) == (200, "")
    assert other.invoice.requests == 1
    assert house.simulators["primary"].invoice.requests == 0


async def test_a_new_credential_is_used_from_the_next_call_on(house: House) -> None:
    key = await house.key()
    await perform(house.desk, SYSTEM, credentials.add_credential, provider="primary", secret=Secret("new-" + "k" * 30))
    await house.published()
    secret = house.plugs.view.secret("primary")
    assert secret is not None
    assert secret.reveal().startswith("new-")
    assert await status(house, key) == (200, "")


async def test_a_budget_binds_from_its_making_and_frees_from_its_deletion(house: House) -> None:
    key = await house.key()
    assert await status(house, key) == (200, "")
    budget = await house.budget("0")
    assert await status(house, key) == (429, "insufficient_quota")
    await house.budget("5")
    assert await status(house, key) == (200, "")
    await house.budget("0")
    async with asyncio.timeout(3):  # what this worker had borrowed goes back within a moment (L30)
        while await status(house, key) == (200, ""):
            pass
    assert await status(house, key) == (429, "insufficient_quota")
    await perform(house.desk, SYSTEM, budgets.delete_budget, budget=budget.id)
    await house.published()
    assert await status(house, key) == (200, "")
    house.check(await house.rows())


async def test_a_beat_tells_what_is_under_way(house: House) -> None:
    before = house.plugs.journal.written
    house.worker.beat()
    await house.until(lambda: house.plugs.journal.written > before)
    await house.rows()
    heartbeat = house.query("select heartbeat from boot")[0]["heartbeat"]
    assert heartbeat > 0


async def test_what_a_worker_held_goes_back_when_it_ends(house: House) -> None:
    key = await house.key()
    await house.budget("5")
    async with another_worker(house) as second:
        assert await status(second, key) == (200, "")
        assert [row for row in house.query("select * from ledger") if row["leased"]]
    while await house.plane.reading.ingest.round():
        pass
    rows = house.query("select * from ledger")
    assert rows
    assert not [row for row in rows if row["leased"] or row["lost"]]
    house.check(await house.rows())


def test_words_of_the_change_log_name_structs() -> None:
    assert kind_of("virtual_key") is Key
    assert kind_of("something of tomorrow") is None
