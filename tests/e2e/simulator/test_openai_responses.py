"""The official openai client's responses, straight against the simulator. Plain dicts stand for its types, so it is typed `Any`."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from clavero.simulator import Simulator
from clavero.simulator.tokens import count


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{simulator.url}/v1", api_key="any", max_retries=0) as made:
        yield made


async def test_a_response_is_labelled_and_billed_at_what_it_counts(client: Any, simulator: Simulator) -> None:
    reply = await client.responses.create(model="gpt-4o", input="Hi", instructions="Be brief")
    assert reply.status == "completed"
    assert "invented" in reply.output_text
    assert reply.usage is not None
    assert reply.usage.output_tokens == count(reply.output_text) == simulator.invoice.total.output
    assert reply.metadata == {"simulated": "true"}


async def test_a_stream_follows_the_official_sequence(client: Any) -> None:
    stream = await client.responses.create(model="gpt-4o", input=[{"role": "user", "content": "Hi"}], stream=True)
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    deltas = kinds.count("response.output_text.delta")
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * deltas,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    end = events[-1]
    assert end.type == "response.completed"
    assert end.response.usage is not None
    assert end.response.usage.output_tokens == deltas
    assert end.response.output_text == "".join(e.delta for e in events if e.type == "response.output_text.delta")


async def test_a_cap_leaves_the_response_incomplete(client: Any) -> None:
    reply = await client.responses.create(model="gpt-4o", input="Write 90 words", max_output_tokens=16)
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"
    assert reply.usage is not None
    assert reply.usage.output_tokens == 16


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_function_is_called_when_the_text_asks_for_it(client: Any, streamed: bool) -> None:
    tool = {
        "type": "function",
        "name": "find_order",
        "strict": False,
        "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}},
    }
    given = await client.responses.create(model="gpt-4o", input="Where is my order?", tools=[tool], stream=streamed)
    if streamed:
        events = [event async for event in given]
        assert "response.function_call_arguments.delta" in [event.type for event in events]
        given = events[-1].response
    (call,) = given.output
    assert (call.type, call.name) == ("function_call", "find_order")
    assert isinstance(json.loads(call.arguments)["number"], int)


async def test_a_structured_response_validates(client: Any) -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    reply = await client.responses.create(
        model="gpt-4o", input="Fine?", text={"format": {"type": "json_schema", "name": "x", "schema": schema}}
    )
    assert json.loads(reply.output_text) == {"ok": True}


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"model": "gpt-nope"}, 404), ({"max_output_tokens": 3}, 400), ({"previous_response_id": "resp_x"}, 400)],
)
async def test_a_refusal_has_the_providers_shape(client: Any, asked: dict[str, object], status: int) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await client.responses.create(**({"model": "gpt-4o", "input": "Hi"} | asked))
    assert refused.value.status_code == status
