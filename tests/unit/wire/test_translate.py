"""A chat asked in one format runs on a provider of another: the official clients' own types read what comes out."""

import json
from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from clavero.domain.calls import BadAnswer
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidParameter
from clavero.domain.usage import Tokens
from clavero.wire import sse
from clavero.wire.body import encode
from clavero.wire.sse import EventTooLong
from clavero.wire.translate import TranslatedStream, Translator

PAIRS = [
    (Endpoint.CHAT, Endpoint.MESSAGES),
    (Endpoint.MESSAGES, Endpoint.CHAT),
    (Endpoint.RESPONSES, Endpoint.CHAT),
    (Endpoint.RESPONSES, Endpoint.MESSAGES),
]
USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19, "prompt_tokens_details": {"cached_tokens": 5}}
USAGE_ANTHROPIC = {"input_tokens": 7, "cache_read_input_tokens": 5, "output_tokens": 7}
TOKENS = Tokens(7, 5, 0, 7)
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Lima"}'}}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": "m-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def called(**function: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": function}]}


CHAT_STREAM = b"".join(
    [
        b": hello\n\n",
        sse.event(chunk({"role": "assistant", "content": ""})),
        sse.event(chunk({"content": "Let me"})),
        sse.event(chunk({"content": " see, ñandú."})),
        b"data: {torn\n\n",
        sse.event(chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}]})),
        sse.event(chunk(called(arguments='{"city":'))),
        sse.event(chunk(called(arguments='"Lima"}'))),
        sse.event(chunk({}, "tool_calls")),
        sse.event({"id": "chatcmpl-1", "model": "m-1", "choices": [], "usage": USAGE}),
        b"data: [DONE]\n\n",
    ]
)  # fmt: skip
_MESSAGES: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {"id": "msg_1", "model": "m-1", "usage": {**USAGE_ANTHROPIC, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Let me"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " see, ñandú."}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"city":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '"Lima"}'}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]
MESSAGES_STREAM = b"".join(sse.event(tree, tree["type"]) for tree in _MESSAGES)
STREAMS = {Endpoint.CHAT: CHAT_STREAM, Endpoint.MESSAGES: MESSAGES_STREAM}
ANSWERS = {
    Endpoint.CHAT: encode(
        {"id": "chatcmpl-1", "model": "m-1", "usage": USAGE,
         "choices": [{"index": 0, "finish_reason": "tool_calls",
                      "message": {"role": "assistant", "content": "Let me see, ñandú.", "tool_calls": [CALL]}}]}
    ),
    Endpoint.MESSAGES: encode(
        {"id": "msg_1", "model": "m-1", "stop_reason": "tool_use", "usage": USAGE_ANTHROPIC,
         "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "Let me see, ñandú."},
                     {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Lima"}}]}
    ),
}  # fmt: skip
ASKED: dict[Endpoint, dict[str, Any]] = {
    Endpoint.CHAT: {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream_options": {"include_usage": True},
    },
    Endpoint.MESSAGES: {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]},
    Endpoint.RESPONSES: {"model": "m", "input": "Hi"},
}
VALIDATORS: dict[Endpoint, TypeAdapter[Any]] = {
    Endpoint.CHAT: TypeAdapter(ChatCompletionChunk),
    Endpoint.MESSAGES: TypeAdapter(RawMessageStreamEvent),
    Endpoint.RESPONSES: TypeAdapter(ResponseStreamEvent),
}


def machine(asked: Endpoint, spoken: Endpoint) -> TranslatedStream:
    return Translator(asked, spoken).stream(ASKED[asked], 1700000000)


def events(raw: bytes) -> list[dict[str, Any]]:
    found = [sse.data_of(block + b"\n\n") for block in raw.split(b"\n\n")]
    return [json.loads(payload) for payload in found if payload not in (b"", b"[DONE]")]


def told(asked: Endpoint, raw: bytes) -> tuple[str, list[tuple[str, str]]]:
    """What a client understands: the text and the calls."""
    text = ""
    calls: dict[int, tuple[str, str]] = {}
    for event in events(raw):
        for choice in event.get("choices", ()):
            text += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls", ()):
                name, given = calls.get(call["index"], ("", ""))
                calls[call["index"]] = (name + call["function"].get("name", ""), given + call["function"]["arguments"])
        delta = event.get("delta")
        block = event.get("content_block") or {}
        if asked is Endpoint.MESSAGES and isinstance(delta, dict):
            text += delta.get("text", "")
            if "partial_json" in delta:
                name, given = calls[event["index"]]
                calls[event["index"]] = (name, given + delta["partial_json"])
        if block.get("type") == "tool_use":
            calls[event["index"]] = (block["name"], "")
        if event.get("type") == "response.output_text.delta":
            text += event["delta"]
        if event.get("type") == "response.output_item.done" and event["item"]["type"] == "function_call":
            calls[event["output_index"]] = (event["item"]["name"], event["item"]["arguments"])
    return text, list(calls.values())


@pytest.mark.requirement(23)
@pytest.mark.parametrize(("asked", "spoken"), PAIRS)
def test_a_plain_answer_is_what_the_official_client_expects(asked: Endpoint, spoken: Endpoint) -> None:
    body = Translator(asked, spoken).answer(ANSWERS[spoken], ASKED[asked], 1700000000)
    if asked is Endpoint.CHAT:
        chat = ChatCompletion.model_validate_json(body)
        message = chat.choices[0].message
        assert (message.content, chat.choices[0].finish_reason) == ("Let me see, ñandú.", "tool_calls")
        assert message.tool_calls is not None
        assert chat.usage is not None
        assert (message.tool_calls[0].id, chat.usage.total_tokens) == ("call_1", 19)
    elif asked is Endpoint.MESSAGES:
        said = Message.model_validate_json(body)
        assert [block.type for block in said.content] == ["text", "tool_use"]
        assert (said.stop_reason, said.usage.input_tokens, said.usage.cache_read_input_tokens) == ("tool_use", 7, 5)
    else:
        response = Response.model_validate_json(body)
        assert response.output_text == "Let me see, ñandú."
        assert response.usage is not None
        assert (response.status, response.usage.total_tokens) == ("completed", 19)


@pytest.mark.parametrize(("asked", "spoken"), PAIRS)
def test_a_stream_is_what_the_official_client_expects(asked: Endpoint, spoken: Endpoint) -> None:
    stream = machine(asked, spoken)
    raw = stream.feed(STREAMS[spoken]) + stream.end()
    for event in events(raw):
        VALIDATORS[asked].validate_python(event, strict=False)
    assert told(asked, raw) == ("Let me see, ñandú.", [("weather", '{"city":"Lima"}')])
    assert stream.stream.complete
    assert stream.stream.tokens == TOKENS
    assert stream.stream.model == "m-1"


def test_the_stream_of_a_response_ends_with_what_the_plain_answer_would_be() -> None:
    stream = machine(Endpoint.RESPONSES, Endpoint.CHAT)
    *_, last = events(stream.feed(CHAT_STREAM))
    plain = json.loads(
        Translator(Endpoint.RESPONSES, Endpoint.CHAT).answer(
            ANSWERS[Endpoint.CHAT], ASKED[Endpoint.RESPONSES], 1700000000
        )
    )
    assert last["response"] == plain
    numbers = [
        event["sequence_number"] for event in events(machine(Endpoint.RESPONSES, Endpoint.CHAT).feed(CHAT_STREAM))
    ]
    assert numbers == list(range(len(numbers)))


def test_usage_is_told_to_a_chat_that_asked_and_to_no_other() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    raw = Translator(Endpoint.CHAT, Endpoint.MESSAGES).stream(asked, 0).feed(MESSAGES_STREAM)
    assert b'"usage"' not in raw
    assert raw.endswith(b"data: [DONE]\n\n")
    *_, last = events(machine(Endpoint.CHAT, Endpoint.MESSAGES).feed(MESSAGES_STREAM))
    assert (last["choices"], last["usage"]["prompt_tokens"]) == ([], 12)


def test_a_message_tells_the_input_that_was_known_only_at_the_end() -> None:
    """envoyproxy/ai-gateway#2352: an Anthropic client of an OpenAI provider read no input tokens."""
    delta = next(
        e for e in events(machine(Endpoint.MESSAGES, Endpoint.CHAT).feed(CHAT_STREAM)) if e["type"] == "message_delta"
    )
    assert delta["usage"] == {**USAGE_ANTHROPIC, "cache_creation_input_tokens": 0}


@pytest.mark.parametrize(("asked", "spoken"), PAIRS)
@given(data=st.data())
@settings(max_examples=30)
def test_any_cut_of_a_stream_into_reads_gives_the_same(asked: Endpoint, spoken: Endpoint, data: st.DataObject) -> None:
    raw = STREAMS[spoken]
    places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    stream = machine(asked, spoken)
    out = b"".join(stream.feed(raw[a:b]) for a, b in zip([0, *places], [*places, len(raw)], strict=True)) + stream.end()
    whole = machine(asked, spoken)
    assert out == whole.feed(raw) + whole.end()


@pytest.mark.parametrize(("asked", "spoken"), PAIRS)
def test_a_stream_that_was_cut_is_never_given_an_end(asked: Endpoint, spoken: Endpoint) -> None:
    raw = STREAMS[spoken]
    for end in range(0, len(raw) - 60, 7):
        stream = machine(asked, spoken)
        out = stream.feed(raw[:end]) + stream.end()
        if not stream.stream.complete:
            assert b"[DONE]" not in out
            assert b"message_stop" not in out
            assert b"response.completed" not in out


@pytest.mark.parametrize(("asked", "spoken"), PAIRS)
def test_after_an_error_of_the_provider_nothing_more_is_said(asked: Endpoint, spoken: Endpoint) -> None:
    failed = sse.event({"type": "error", "error": {"type": "overloaded_error", "message": "full"}}, "error")
    stream = machine(asked, spoken)
    cut = STREAMS[spoken].index(b"see,")
    cut = STREAMS[spoken].index(b"\n\n", cut) + 2
    first = stream.feed(STREAMS[spoken][:cut])
    assert first
    assert stream.feed(failed + STREAMS[spoken][cut:]) + stream.end() == b""
    assert stream.stream.error == {"type": "overloaded_error", "message": "full"}
    assert not stream.stream.complete


def test_a_chat_without_done_ends_with_its_usage() -> None:
    stream = machine(Endpoint.MESSAGES, Endpoint.CHAT)
    out = stream.feed(CHAT_STREAM.removesuffix(b"data: [DONE]\n\n"))
    assert out.endswith(b'data: {"type":"message_stop"}\n\n')
    assert stream.end() == b""


def test_an_answer_that_is_no_answer_is_the_providers_fault() -> None:
    for asked, spoken in PAIRS:
        with pytest.raises(BadAnswer):
            Translator(asked, spoken).answer(b"<html>", ASKED[asked], 0)


def test_a_conversation_survives_the_way_there_and_back() -> None:
    tree = {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather in Lima?"},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "18 °C"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "temperature": 0.5,
        "max_completion_tokens": 50,
    }
    there = Translator(Endpoint.CHAT, Endpoint.MESSAGES).request(tree)
    assert there["max_tokens"] == 50
    assert Translator(Endpoint.MESSAGES, Endpoint.CHAT).request(there) == tree


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["text", "user", "tool", "assistant", "function", "tool_use", "image", "x", "json_schema", "base64"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["type", "role", "content", "text", "function", "name", "arguments", "id", "source", "input", "data", "delta", "index", "tool_calls", "choices", "message", "usage", "error"]), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip
_TOP = ["system", "tools", "tool_choice", "stop", "stop_sequences", "response_format", "text", "output_config", "thinking", "instructions",
        "temperature", "metadata", "parallel_tool_calls", "reasoning", "reasoning_effort", "stream", "stream_options", "user"]  # fmt: skip


@given(
    st.sampled_from(PAIRS),
    st.dictionaries(st.sampled_from(_TOP), _ANY, max_size=4),
    st.lists(
        st.dictionaries(st.sampled_from(["role", "content", "type", "tool_calls", "name", "output"]), _ANY),
        min_size=1,
        max_size=3,
    ),
)
def test_a_request_of_any_shape_is_translated_or_refused_by_name(
    pair: tuple[Endpoint, Endpoint], top: dict[str, Any], said: list[dict[str, Any]]
) -> None:
    try:
        encode(Translator(*pair).request({"model": "m", "messages": said, "input": said, **top}))
        encode(Translator(*pair).request({**ASKED[pair[0]], **top}))
    except InvalidParameter:
        return


@given(
    st.sampled_from(PAIRS),
    st.dictionaries(st.sampled_from(["id", "model", "choices", "content", "usage", "stop_reason"]), _ANY),
)
def test_an_answer_of_any_shape_is_translated(pair: tuple[Endpoint, Endpoint], tree: dict[str, Any]) -> None:
    json.loads(Translator(*pair).answer(encode(tree), ASKED[pair[0]], 0))


@given(
    st.sampled_from(PAIRS),
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "type", "choices", "content_block", "delta", "index", "usage", "message", "error"]),
            _ANY | st.sampled_from([e["type"] for e in _MESSAGES]),
        ),
        max_size=5,
    ),
)
def test_events_of_any_shape_are_never_fatal(pair: tuple[Endpoint, Endpoint], trees: list[dict[str, Any]]) -> None:
    stream = machine(*pair)
    try:
        stream.feed(b"".join(map(sse.event, trees)))
        stream.end()
    except (BadAnswer, EventTooLong):
        return
