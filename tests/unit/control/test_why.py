from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import budgets, credentials, keys
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.control.keys import KeyEdit, NewKey
from clavero.control.why import Step, why
from clavero.domain.access import SYSTEM
from clavero.domain.budgets import Subject, Window
from clavero.domain.credentials import Network, Provider, ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.refusals import NotFound
from clavero.domain.secret import Secret

NAME = "prod-mail-01"


async def furnish(desk: Desk, *, credential: bool = True) -> None:
    provider = Provider(
        name="own", kind=ProviderKind.OPENAI, base_url="http://127.0.0.1:9", network=Network.LOOPBACK, models=("gpt-*",)
    )
    await perform(desk, SYSTEM, credentials.add_provider, provider=provider)
    if credential:
        await perform(desk, SYSTEM, credentials.add_credential, provider="own", secret=Secret("not-a-key-" + "0" * 20))
    await perform(desk, SYSTEM, keys.create, wanted=NewKey(name=NAME, owner="asha", models=("gpt-*",)))


def last(steps: list[Step]) -> tuple[str, str]:
    assert all(step.ok for step in steps[:-1])
    return steps[-1].stage, steps[-1].code


async def test_a_call_that_would_pass_says_every_stage(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk)
        steps = await why(desk, NAME, "gpt-4o-mini")
        assert [step.stage for step in steps] == ["key", "endpoint", "model", "route", "price"]
        assert all(step.ok for step in steps)


async def test_what_the_scope_forbids_is_named_with_the_command_that_allows_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk)
        steps = await why(desk, NAME, "claude-x")
        assert last(steps) == ("model", "model_not_allowed")
        assert "--add-model claude-x" in steps[-1].fix


async def test_a_key_that_ended_stops_it_first(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk)
        await perform(desk, SYSTEM, keys.disable, name=NAME, reason="looked into")
        assert last(await why(desk, NAME, "gpt-4o-mini")) == ("key", "key_disabled")


async def test_an_endpoint_out_of_scope(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk)
        await perform(desk, SYSTEM, keys.update, name=NAME, edit=KeyEdit(endpoints=("embeddings",)))
        assert last(await why(desk, NAME, "gpt-4o-mini")) == ("endpoint", "endpoint_not_allowed")
        assert (await why(desk, NAME, "gpt-4o-mini", Endpoint.EMBEDDINGS))[1].ok


async def test_a_provider_without_a_credential(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk, credential=False)
        assert last(await why(desk, NAME, "gpt-4o-mini")) == ("route", "no_credential")


async def test_money_that_is_not_there_and_prices_that_are_not_known(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk)
        poor = NewBudget(subject=Subject.KEY, name=NAME, window=Window.DAY, limit_n=1)
        await perform(desk, SYSTEM, budgets.set_budget, wanted=poor)
        steps = await why(desk, NAME, "gpt-unheard-of")
        assert last(steps) == ("price", "unpriced_model")


async def test_an_unknown_key_comes_with_the_nearest_name(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await furnish(desk)
        with pytest.raises(NotFound, match="prod-mial-01") as caught:
            await why(desk, "prod-mial-01", "gpt-4o-mini")
        assert caught.value.suggestion == NAME
