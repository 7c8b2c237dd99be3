"""The official anthropic client, straight against the simulator. Plain dicts stand for its types, so it is typed `Any`."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from clavero.simulator import Simulator
from clavero.simulator.tokens import count

pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
HI = [{"role": "user", "content": "Hi"}]
TOOL = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=simulator.url, api_key="any", max_retries=0) as made:
        yield made


async def test_a_message_is_labelled_and_billed_at_what_it_counts(client: Any, simulator: Simulator) -> None:
    reply = await client.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=HI, system="Brief")
    assert reply.id.startswith("msg_sim-")
    (block,) = reply.content
    assert block.type == "text"
    assert "invented" in block.text
    assert reply.usage.output_tokens == count(block.text) == simulator.invoice.total.output
    assert reply.usage.input_tokens == simulator.invoice.total.input
    assert reply.stop_reason == "end_turn"


async def test_a_stream_tells_the_same_as_the_plain_answer(client: Any) -> None:
    plain = await client.messages.create(model="claude-haiku-4-5-20251001", max_tokens=100, messages=HI)
    async with client.messages.stream(model="claude-haiku-4-5-20251001", max_tokens=100, messages=HI) as stream:
        kinds = [event.type async for event in stream]
        told = await stream.get_final_message()
    assert told.to_dict()["content"] == plain.to_dict()["content"]
    assert told.usage.output_tokens == plain.usage.output_tokens
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])


async def test_a_cap_and_a_stop_sequence_are_kept(client: Any) -> None:
    capped = await client.messages.create(model="claude-opus-4-5", max_tokens=3, messages=HI)
    assert (capped.stop_reason, capped.usage.output_tokens) == ("max_tokens", 3)
    stopped = await client.messages.create(
        model="claude-opus-4-5",
        max_tokens=90,
        messages=HI,
        stop_sequences=["clavero"],
    )
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "clavero")


async def test_a_tool_is_used_when_the_text_asks_for_it(client: Any) -> None:
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 100, "tools": [TOOL]}
    messages = [{"role": "user", "content": [{"type": "text", "text": "The weather in Quito?"}]}]
    reply = await client.messages.create(**asked, messages=messages)
    (block,) = reply.content
    assert (reply.stop_reason, block.name, block.input) == ("tool_use", "get_weather", {"city": "invented"})
    async with client.messages.stream(**asked, messages=messages) as stream:
        told = await stream.get_final_message()
    assert told.content[0].input == {"city": "invented"}
    result = {"type": "tool_result", "tool_use_id": block.id, "content": "The weather is fine"}
    messages += [{"role": "assistant", "content": [block.model_dump()]}, {"role": "user", "content": [result]}]
    answered = await client.messages.create(**asked, messages=messages)
    assert answered.stop_reason == "end_turn"


async def test_tokens_are_counted_as_they_are_billed(client: Any) -> None:
    asked = {"model": "claude-sonnet-4-5", "messages": HI, "system": "Brief", "tools": [TOOL]}
    counted = await client.messages.count_tokens(**asked)
    billed = await client.messages.create(**asked, max_tokens=5)
    assert counted.input_tokens == billed.usage.input_tokens


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"model": "claude-nope"}, anthropic.NotFoundError),
        ({"model": "gpt-4o"}, anthropic.NotFoundError),
        ({"model": "claude-3-5-haiku", "max_tokens": 8_193}, anthropic.BadRequestError),
        ({"messages": []}, anthropic.BadRequestError),
        ({"thinking": {"type": "enabled", "budget_tokens": 100}}, anthropic.BadRequestError),
        ({"model": "claude-sonnet-4-5+unavailable"}, anthropic.APIStatusError),
        ({"model": "claude-sonnet-4-5+rate_limited=1"}, anthropic.RateLimitError),
    ],
)
async def test_a_refusal_has_the_providers_shape(
    client: Any, asked: dict[str, object], kind: type[anthropic.APIStatusError]
) -> None:
    with pytest.raises(kind) as refused:
        await client.messages.create(**({"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": HI} | asked))
    assert refused.value.request_id


async def test_models_have_this_providers_shape(client: Any) -> None:
    names = [model.id async for model in client.models.list()]
    assert "claude-sonnet-4-5" in names
    assert "gpt-4o" not in names


async def test_what_is_marked_is_written_to_the_cache_then_read(client: Any, simulator: Simulator) -> None:
    system = [{"type": "text", "text": "rule " * 2_000, "cache_control": {"type": "ephemeral"}}]
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 5, "system": system, "messages": HI}
    first = (await client.messages.create(**asked)).usage
    second = (await client.messages.create(**asked)).usage
    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (2_001, 0)
    assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, 2_001)
    assert first.input_tokens == second.input_tokens < 20
    total = simulator.invoice.total
    assert (total.cached, total.written) == (2_001, 2_001)
