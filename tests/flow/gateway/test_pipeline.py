"""The way of a request from key to record, in every format and dialect."""

import pytest
from tests.flow.gateway.house import HI, House, chat


@pytest.mark.requirement(1, 22, 23)
async def test_a_chat_is_answered_told_of_in_headers_and_recorded_with_its_cost(house: House) -> None:
    key = await house.key()
    budget = await house.budget("5")
    said = await house.post("/v1/chat/completions", chat(max_tokens=20), key)
    assert said.status == 200
    assert said.clean
    usage = said.tree["usage"]
    cost = usage["prompt_tokens"] * 150 + usage["completion_tokens"] * 600
    row = await house.last()
    assert row["request_id"] == said.headers["x-request-id"] == said.headers["request-id"]
    assert (row["input"], row["output"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert (row["cost_n"], row["outcome"], row["status"], row["code"]) == (cost, "ok", 200, "")
    assert (row["team"], row["service"], row["owner"], row["endpoint"]) == ("apps", "app", "asha", "chat")
    assert row["key_id"] == await house.kid()
    assert house.posted() == {budget.id: cost}
    assert said.headers["x-clavero-key"] == "prod-app-chat-01"
    assert said.headers["x-clavero-model"] == "gpt-4o-mini"
    assert said.headers["x-clavero-provider"] == "primary"
    assert said.headers["x-clavero-attempts"] == "1"
    assert said.headers["x-clavero-cost"] == f"{cost / 1e9:.6f}"
    assert float(said.headers["x-clavero-overhead-ms"]) >= 0
    assert "x-clavero-output-cap" not in said.headers


async def test_a_streamed_chat_ends_cleanly_and_costs_what_the_provider_told(house: House) -> None:
    key = await house.key()
    await house.budget("5")
    plain = await house.post("/v1/chat/completions", chat(), key)
    said = await house.post("/v1/chat/completions", chat(stream=True), key)
    assert said.status == 200
    assert said.clean
    assert said.text.endswith("data: [DONE]\n\n")
    assert said.words == plain.words
    first, second = await house.rows()
    assert second["streamed"]
    assert second["cost_n"] == first["cost_n"] > 0
    assert second["first_token_us"] > 0
    house.check([first, second])


async def test_an_exchange_without_a_known_key_is_counted_and_never_journalled(house: House) -> None:
    said = await house.post("/v1/chat/completions", chat(), "nonsense")
    assert (said.status, said.code) == (401, "malformed_api_key")
    assert await house.rows() == []
    assert house.plugs.tally.refused == {"malformed_api_key": 1}
