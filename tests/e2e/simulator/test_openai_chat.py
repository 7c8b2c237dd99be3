"""The official openai client, straight against the simulator. Plain dicts stand for its types, so it is typed `Any`."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from clavero.simulator import Fault, Simulator
from clavero.simulator.tokens import count


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{simulator.url}/v1", api_key="any", max_retries=0) as made:
        yield made


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
            "required": ["city"],
        },
    },
}


async def test_an_answer_is_labelled_and_billed_at_what_it_counts(client: Any, simulator: Simulator) -> None:
    raw = await client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]
    )
    assert raw.headers["x-simulated"] == "true"
    reply = raw.parse()
    text = reply.choices[0].message.content
    assert text is not None
    assert "invented" in text
    assert "Hi" in text
    assert reply.id.startswith("chatcmpl-sim-")
    assert reply.system_fingerprint == "simulated"
    assert reply.model == "gpt-4o-mini"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == count(text)
    assert reply.choices[0].finish_reason == "stop"
    assert simulator.invoice.total.output == reply.usage.completion_tokens
    assert simulator.invoice.total.input == reply.usage.prompt_tokens


async def test_a_stream_tells_the_same_as_the_plain_answer(client: Any) -> None:
    plain = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "¿Qué tal?"}])
    stream = await client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "¿Qué tal?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == plain.choices[0].message.content
    assert chunks[-1].usage == plain.usage
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert sum(1 for chunk in chunks if chunk.choices and chunk.choices[0].delta.content) == count(text)


async def test_usage_is_streamed_only_where_it_is_asked_for(client: Any) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    assert all(chunk.usage is None for chunk in [chunk async for chunk in stream])


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cap_cuts_at_exactly_so_many_tokens(client: Any, streamed: bool, simulator: Simulator) -> None:
    if streamed:
        stream = await client.chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": "Hi"}], max_tokens=5, stream=True
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        finish = chunks[-1].choices[0].finish_reason
    else:
        reply = await client.chat.completions.create(
            model="gpt-4.1", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5
        )
        text, finish = reply.choices[0].message.content or "", reply.choices[0].finish_reason
    assert (count(text), finish) == (5, "length")
    assert simulator.invoice.total.output == 5


async def test_a_question_may_want_a_length(client: Any) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Write 300 tokens about keys"}]
    )
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 300


async def test_several_choices_are_all_billed(client: Any) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], n=3, max_tokens=4
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 12


async def test_a_stop_ends_the_text_before_it(client: Any) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], stop=["simulator", ";"]
    )
    text = reply.choices[0].message.content or ""
    assert text.endswith("clavero ")
    assert reply.usage is not None
    assert reply.usage.completion_tokens == count(text)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_called_when_the_text_asks_for_it(client: Any, streamed: bool) -> None:
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is the weather in Lima?"}]}
    if streamed:
        stream = await client.chat.completions.create(**asked, tools=[WEATHER], stream=True)
        deltas = [chunk.choices[0].delta.tool_calls[0] async for chunk in stream if chunk.choices[0].delta.tool_calls]
        name, arguments = deltas[0].function.name, "".join(delta.function.arguments for delta in deltas)
    else:
        reply = await client.chat.completions.create(**asked, tools=[WEATHER])
        assert reply.choices[0].finish_reason == "tool_calls"
        call = reply.choices[0].message.tool_calls[0]
        name, arguments = call.function.name, call.function.arguments
    assert name == "get_weather"
    assert set(json.loads(arguments)) == {"city", "days"}


async def test_no_tool_is_called_unasked_or_after_its_result(client: Any) -> None:
    for messages in (
        [{"role": "user", "content": "Good morning"}],
        [
            {"role": "user", "content": "weather?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "sunny"},
        ],
    ):
        reply = await client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
        assert reply.choices[0].message.tool_calls is None
        assert reply.choices[0].message.content


async def test_a_structured_answer_validates(client: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"label": {"enum": ["a", "b"]}, "score": {"type": "number"}, "when": {"$ref": "#/$defs/day"}},
        "required": ["label", "score", "when"],
        "additionalProperties": False,
        "$defs": {"day": {"type": "string", "format": "date"}},
    }
    reply = await client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "Label this"}],
        response_format={"type": "json_schema", "json_schema": {"name": "label", "schema": schema}},
    )
    made = json.loads(reply.choices[0].message.content or "")
    assert made["label"] == "a"
    assert isinstance(made["score"], int | float)
    assert made["when"] == "2026-01-01"


async def test_images_are_taken_and_counted(client: Any) -> None:
    def parts(detail: str) -> list[dict[str, object]]:
        image = {"url": "https://example.com/a.png", "detail": detail}
        return [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": image}]

    counted = []
    for detail in ("low", "high"):
        reply = await client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": parts(detail)}],
        )
        assert reply.usage is not None
        counted.append(reply.usage.prompt_tokens)
    assert counted[1] - counted[0] == 765 - 85


async def test_a_reasoning_model_has_its_own_cap_and_thinks_within_it(client: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="max_completion_tokens") as refused:
        await client.chat.completions.create(
            model="o4-mini", messages=[{"role": "user", "content": "Hi"}], max_tokens=9
        )
    assert refused.value.code == "unsupported_parameter"
    reply = await client.chat.completions.create(
        model="o4-mini", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=10
    )
    assert reply.usage is not None
    assert reply.usage.completion_tokens_details is not None
    assert (reply.usage.completion_tokens, reply.usage.completion_tokens_details.reasoning_tokens) == (10, 8)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"model": "gpt-nope"}, 404, "model_not_found"),
        ({"model": "text-embedding-3-small"}, 404, None),
        ({"max_tokens": 16_385}, 400, "invalid_value"),
        ({"messages": []}, 400, "invalid_type"),
        ({"temperature": 3}, 400, "invalid_type"),
        ({"messages": [{"role": "user", "content": "word " * 130_000}]}, 400, "context_length_exceeded"),
    ],
)
async def test_a_refusal_has_the_providers_shape(
    client: Any, asked: dict[str, object], status: int, code: str | None, simulator: Simulator
) -> None:
    whole = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], **asked}
    with pytest.raises(openai.APIStatusError) as refused:
        await client.chat.completions.create(**whole)
    assert (refused.value.status_code, refused.value.code) == (status, code)
    assert refused.value.request_id
    assert simulator.invoice.total.calls == 0


async def test_a_refusal_for_pace_names_the_wait(client: Any, simulator: Simulator) -> None:
    simulator.faults.plan(Fault.RATE_LIMITED, 2)
    with pytest.raises(openai.RateLimitError) as refused:
        await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    assert refused.value.response.headers["retry-after"] == "2"
    await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])


async def test_a_provider_can_bill_more_than_the_cap(client: Any, simulator: Simulator) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o+overrun=500", messages=[{"role": "user", "content": "Hi"}], max_tokens=10
    )
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 500
    assert simulator.invoice.total.output == 500


async def test_a_provider_can_keep_its_usage_to_itself(client: Any, simulator: Simulator) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o+no_usage", messages=[{"role": "user", "content": "Hi"}], max_tokens=10
    )
    assert reply.usage is None
    assert simulator.invoice.total.output == 10


async def test_a_long_beginning_is_cached_from_its_second_time_on(client: Any, simulator: Simulator) -> None:
    cached = []
    for question in ("Hi", "And now?"):
        reply = await client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "system", "content": "rule " * 2_000}, {"role": "user", "content": question}],
        )
        cached.append(reply.usage.prompt_tokens_details.cached_tokens)
    assert cached == [0, 1_920]
    assert simulator.invoice.total.cached == 1_920
