"""The way of a request from key to record, in every format and dialect."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, chat, open_house

from clavero.domain.credentials import ProviderKind
from clavero.testing.faults import answer, serve_faults

ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "model": "mine-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}


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


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/chat/completions", {"model": "gpt-4o-mini", "messages": HI}, "gpt-4o-mini"),
        ("/responses", {"model": "gpt-4o-mini", "input": "Say hello."}, "gpt-4o-mini"),
        ("/messages", {"model": "claude-sonnet-4-5", "messages": HI, "max_tokens": 20}, "claude-sonnet-4-5"),
        ("/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}, "text-embedding-3-small"),
        ("/messages/count_tokens", {"model": "claude-sonnet-4-5", "messages": HI}, "claude-sonnet-4-5"),
    ],
)
async def test_every_format_is_answered_as_its_provider_answers_and_recorded_once(
    house: House, prefix: str, path: str, body: dict[str, Any], model: str
) -> None:
    key = await house.key()
    await house.budget("5")
    said = await house.post(prefix + path, body, key)
    assert said.status == 200
    assert said.clean
    row = await house.last()
    assert (row["model_asked"], row["outcome"], row["status"]) == (model, "ok", 200)
    free = path.endswith("count_tokens")
    assert (row["cost_n"] == 0) is free
    assert float(said.headers["x-clavero-cost"]) == pytest.approx(row["cost_n"] / 1e9, abs=1e-6)


@pytest.mark.parametrize(
    ("path", "body", "ending"),
    [
        ("/v1/chat/completions", {"model": "gpt-4o-mini", "messages": HI}, "data: [DONE]\n\n"),
        ("/v1/responses", {"model": "gpt-4o-mini", "input": "Say hello."}, '"response.completed"'),
        ("/v1/messages", {"model": "claude-sonnet-4-5", "messages": HI, "max_tokens": 20}, "event: message_stop"),
    ],
)
async def test_a_stream_of_every_format_is_metered_as_its_plain_answer(
    house: House, path: str, body: dict[str, Any], ending: str
) -> None:
    key = await house.key()
    await house.budget("5")
    await house.post(path, body, key)
    said = await house.post(path, body | {"stream": True}, key)
    assert said.clean
    assert ending in said.text.rsplit("\n\n", 2)[-2] + "\n\n"
    plain, streamed = await house.rows()
    house.check([plain, streamed])
    for name in ("input", "output", "cached", "cache_write", "cost_n", "estimated", "outcome"):
        assert plain[name] == streamed[name], name
    assert plain["cost_n"] > 0


async def test_usage_that_was_not_asked_for_is_taken_and_withheld(house: House) -> None:
    key = await house.key()
    unasked = await house.post("/v1/chat/completions", chat(stream=True), key)
    asked = await house.post("/v1/chat/completions", chat(stream=True, stream_options={"include_usage": True}), key)
    assert not [event for event in unasked.events if event.get("usage")]
    assert [event["choices"] for event in asked.events if event.get("usage")] == [[]]
    assert len(asked.events) == len(unasked.events) + 1
    assert [row["output"] for row in await house.rows()] == [asked.events[-1]["usage"]["completion_tokens"]] * 2


# --- what passes through


async def test_unknown_members_order_and_numbers_reach_the_provider_as_they_came(house: House) -> None:
    async with serve_faults(answer(json.dumps(ANSWER).encode())) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        key = await house.key()
        body = (
            b'{"zeta":{"b":1,"a":[null,true,1.10,1e400]},"model":"mine-1","messages":[{"role":"user","content":"\xc3\xa9 \\u00e9"}],'
            b'"big":123456789012345678901234567890,"pi":3.14159265358979323846,"seed":7}'
        )
        refused = await house.post("/v1/chat/completions", body, key)
        assert (refused.status, refused.code) == (400, "malformed_json")  # 1e400 is no number that everybody can read
        said = await house.post("/v1/chat/completions", body.replace(b",1e400", b""), key)
        assert said.tree == ANSWER
        sent = server.asked[0].body
        assert sent == (
            b'{"zeta":{"b":1,"a":[null,true,1.1]},"model":"mine-1","messages":[{"role":"user","content":"\xc3\xa9 \xc3\xa9"}],'
            b'"big":123456789012345678901234567890,"pi":3.14159265358979323846,"seed":7}'
        )


async def test_what_a_provider_adds_to_its_answer_reaches_the_caller_byte_for_byte(house: House) -> None:
    body = json.dumps(ANSWER | {"their": {"own": [1.50, None]}}, indent=1).encode()
    async with serve_faults(answer(body)) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/chat/completions", chat("mine-1"), await house.key())
        assert said.body == body


async def test_only_our_credential_and_a_short_list_of_headers_go_to_the_provider(house: House) -> None:
    async with serve_faults(answer(json.dumps(ANSWER).encode())) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        key = await house.key()
        more = {"cookie": "a=b", "x-forwarded-for": "10.0.0.1", "openai-organization": "org", "openai-beta": "x=v2"}
        await house.post("/v1/chat/completions", chat("mine-1"), key, more)
        heard = server.asked[0].headers
        assert heard["authorization"].startswith("Bearer upstream-")
        assert heard["openai-beta"] == "x=v2"
        assert not {"cookie", "x-forwarded-for", "openai-organization", "x-api-key"} & heard.keys()
        assert key not in str(server.asked)


async def test_tools_and_images_pass_and_are_held_for(house: House) -> None:
    key = await house.key()
    await house.budget("5")
    pixel = "data:image/png;base64,iVBORw0KGgo="
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": pixel}}]
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": parts}], "tools": [tool]}
    said = await house.post("/v1/chat/completions", body | {"tool_choice": "required"}, key)
    assert said.tree["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "look"
    row = await house.last()
    assert row["held_n"] >= 50_000 * 150  # an image's own bytes do not bound its tokens
    assert row["cost_n"] < row["held_n"]


# --- translated


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_runs_on_a_provider_that_speaks_messages_only(house: House, *, stream: bool) -> None:
    await house.simulated("anthropic", ["claude-haiku-*"], kind=ProviderKind.ANTHROPIC)
    key = await house.key()
    await house.budget("5")
    said = await house.post("/v1/chat/completions", chat("anthropic/claude-haiku-4-5", stream=stream, n=1), key)
    assert said.status == 200
    assert said.clean
    assert "simulator" in said.words
    row = await house.last()
    assert (row["provider"], row["model_served"], row["outcome"]) == ("anthropic", "claude-haiku-4-5", "ok")
    assert row["output"] > 5
    assert row["cost_n"] == row["input"] * 1000 + row["output"] * 5000
    if not stream:
        assert said.tree["usage"]["completion_tokens"] == row["output"]


@pytest.mark.parametrize("budgeted", [False, True])
async def test_a_translated_chat_without_a_cap_gets_the_one_that_messages_need(house: House, *, budgeted: bool) -> None:
    await house.simulated("anthropic", ["none"], kind=ProviderKind.ANTHROPIC)
    key = await house.key()
    if budgeted:
        await house.budget("5")
    said = await house.post("/v1/chat/completions", chat("anthropic/claude-haiku-4-5"), key)
    assert said.status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_messages_run_on_a_provider_that_speaks_chat_only(house: House, *, stream: bool) -> None:
    await house.simulated("like", ["gpt-*"], kind=ProviderKind.OPENAI_LIKE)
    key = await house.key()
    body = {"model": "like/gpt-4o-mini", "messages": HI, "max_tokens": 30, "stream": stream}
    said = await house.post("/v1/messages", body, key)
    assert said.status == 200
    assert said.clean
    if stream:
        assert said.events[0]["type"] == "message_start"
        assert said.events[-1]["type"] == "message_stop"
    else:
        assert said.tree["content"][0]["text"]
        assert said.tree["usage"]["output_tokens"] > 5
    row = await house.last()
    assert (row["provider"], row["outcome"]) == ("like", "ok")
    assert row["output"] > 5


@pytest.mark.parametrize("stream", [False, True])
async def test_responses_run_on_a_provider_that_speaks_chat_only(house: House, *, stream: bool) -> None:
    await house.simulated("like", ["gpt-*"], kind=ProviderKind.OPENAI_LIKE)
    key = await house.key()
    said = await house.post("/v1/responses", {"model": "like/gpt-4o-mini", "input": "Hi", "stream": stream}, key)
    assert said.status == 200
    assert said.clean
    assert (await house.last())["outcome"] == "ok"


# --- what a caller may name


async def test_a_feature_is_recorded_where_the_key_declares_it_and_refused_otherwise(house: House) -> None:
    key = await house.key(features=("reply",))
    await house.post("/v1/chat/completions", chat(), key, {"x-clavero-feature": "reply", "x-client-request-id": "c-1"})
    refused = await house.post("/v1/chat/completions", chat(), key, {"x-clavero-feature": "triage"})
    assert (refused.status, refused.code) == (403, "feature_not_declared")
    first, second = await house.rows()
    assert (first["feature"], first["client_request_id"]) == ("reply", "c-1")
    assert (second["feature"], second["outcome"], second["code"]) == ("", "refused", "feature_not_declared")


async def test_a_key_stays_within_its_models_and_endpoints(house: House) -> None:
    key = await house.key(models=("gpt-4o-mini",), endpoints=("chat",))
    assert (await house.post("/v1/chat/completions", chat(), key)).status == 200
    model = await house.post("/v1/chat/completions", chat("gpt-4o"), key)
    assert (model.status, model.code) == (403, "model_not_allowed")
    assert "gpt-4o-mini" in model.error["message"]
    endpoint = await house.post("/v1/responses", {"model": "gpt-4o-mini", "input": "x"}, key)
    assert (endpoint.status, endpoint.code) == (403, "endpoint_not_allowed")
    rows = await house.rows()
    assert [row["outcome"] for row in rows] == ["ok", "refused", "refused"]


async def test_a_declared_model_is_sent_under_the_name_it_is_served_as(house: House) -> None:
    await house.model("house-small", "primary", "gpt-4o-mini")
    said = await house.post("/v1/chat/completions", chat("house-small"), await house.key())
    assert said.headers["x-clavero-model"] == "gpt-4o-mini"
    row = await house.last()
    assert (row["model_asked"], row["model_served"]) == ("house-small", "gpt-4o-mini")


# --- faults of ours


async def test_a_fault_of_ours_is_a_500_with_its_id_reported_and_recorded(tmp_path: Path) -> None:
    async with open_house(tmp_path / "data") as house:
        await house.simulated()
        key = await house.key()

        def broken(_: str) -> None:
            raise ZeroDivisionError("on purpose")

        house.plugs.view.targets = broken  # type: ignore[method-assign,assignment] # a fault to be met
        said = await house.post("/v1/chat/completions", chat(), key)
        assert (said.status, said.code) == (500, "internal_error")
        assert "on purpose" not in said.text
        row = await house.last()
        assert (row["code"], row["status"]) == ("internal_error", 500)
        assert [line for line in house.logged if "on purpose" in line and row["request_id"] in line]
