import pytest
from tests.flow.entrypoints.http.admin.office import Office

from clavero.control.catalog import update_prices


async def test_an_own_price_stands_above_the_list_until_it_is_removed(office: Office) -> None:
    await update_prices(office.desk)
    (listed,) = [one for one in await _prices(office, "gpt-4o-mini") if one["id"] == "openai/gpt-4o-mini"]
    assert not listed["own"]
    made = await office.ask(
        "PUT", "/prices/openai/gpt-4o-mini", json={"input": "0.10", "output": 0.4, "reason": "deal"}
    )
    assert (made["input"], made["output"], made["own"]) == (100_000_000, 400_000_000, True)
    assert made["max_output"] == listed["max_output"]
    assert await office.ask("DELETE", "/prices/openai/gpt-4o-mini") == listed


async def test_tiers_are_prices_of_the_whole_call(office: Office) -> None:
    body = {"input": 1, "output": 2, "tiers": [{"above": 200_000, "input": 2, "output": 4}], "image": "0.01"}
    made = await office.ask("PUT", "/prices/house/big", json=body)
    assert made["tiers"][0] | {"above": 0} == made["tiers"][0] | {"above": 0}
    assert (made["tiers"][0]["above"], made["tiers"][0]["input"], made["image"]) == (200_000, 2 * 10**9, 10**7)
    assert [one["id"] for one in await _prices(office, "house")] == ["house/big"]
    assert (await office.ask("DELETE", "/prices/house/big"))["id"] == "house/big"
    assert (await office.refused("DELETE", "/prices/house/big", 404))["code"] == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": -1},
        {"input": "free"},
        {"input": "Infinity"},
        {"input": "1e40"},
        {"input": 1, "cap_parameter": "other"},
        {"input": 1, "tiers": [{"above": 0, "input": 1}]},
        {"input": 1, "tiers": [{"above": 2**70, "input": 1}]},
        {"input": 1, "tiers": [{"above": 9, "input": 1}, {"above": 5, "input": 1}]},
        {"input": 1, "context": 2**70},
    ],
)
async def test_a_mistyped_price_is_refused(office: Office, body: dict[str, object]) -> None:
    assert (await office.refused("PUT", "/prices/house/m", 422, json=body))["field"]
    assert await _prices(office, "") == []


async def _prices(office: Office, model: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await office.ask("GET", f"/prices?model={model}"))["prices"]
    return found
