"""Messages tell their usage in two places, the cache beside the input."""

import json
from typing import Any

import pytest

from clavero.domain.usage import Tokens
from clavero.wire.anthropic import MessagesStream, read_answer, read_count, usage

USAGE = {
    "input_tokens": 30,
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 10,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 50,
    "output_tokens_details": {"thinking_tokens": 30},
}


def played(*events: dict[str, Any]) -> MessagesStream:
    stream = MessagesStream()
    for event in events:
        assert stream.read(json.dumps(event).encode())
    return stream


def start(**figures: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"id": "msg_1", "model": "claude-x", "content": [], "stop_reason": None, "usage": figures}
    return {"type": "message_start", "message": message}


def end(**figures: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": figures}


STOP = {"type": "message_stop"}


def test_the_cache_is_beside_the_input_and_the_thinking_within_the_output() -> None:
    assert usage(USAGE) == Tokens(30, 60, 10, 20, 30)
    assert usage({"input_tokens": 3}) is None


def test_a_plain_answer_tells_usage_model_and_stop_reason() -> None:
    body = json.dumps({"model": "claude-x", "stop_reason": "end_turn", "usage": USAGE}).encode()
    assert read_answer(body) == (Tokens(30, 60, 10, 20, 30), "claude-x", "end_turn")


def test_counting_uses_nothing() -> None:
    assert read_count(b'{"input_tokens":2095}').tokens == Tokens()


def test_start_and_end_are_combined() -> None:
    stream = played(start(input_tokens=30, cache_read_input_tokens=60, output_tokens=1), end(output_tokens=50), STOP)
    assert stream.tokens == Tokens(30, 60, 0, 50)
    assert (stream.complete, stream.model, stream.finish) == (True, "claude-x", "end_turn")


def test_figures_of_the_end_are_final_and_a_nothing_there_says_nothing() -> None:
    told = dict(start(input_tokens=90, output_tokens=1))
    assert played(told, end(input_tokens=20, cache_creation_input_tokens=70, output_tokens=5)).tokens == Tokens(
        20, 0, 70, 5
    )
    assert played(told, end(input_tokens=0, cache_read_input_tokens=None, output_tokens=5)).tokens == Tokens(
        90, 0, 0, 5
    )


def test_a_stream_that_was_cut_keeps_what_was_told_and_what_was_seen() -> None:
    pieces = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "four"}}] * 9
    stream = played(start(input_tokens=30, output_tokens=1), *pieces)
    assert not stream.complete
    assert stream.observed == Tokens(30, 0, 0, 9)


@pytest.mark.parametrize("delta", [{"text": "a"}, {"partial_json": "{"}, {"thinking": "hm"}])
def test_output_of_every_kind_is_a_first_token(delta: dict[str, Any]) -> None:
    assert played({"type": "content_block_delta", "index": 0, "delta": delta}).begun
    assert not played({"type": "content_block_delta", "index": 0, "delta": {"signature": "x"}}).begun


def test_an_error_in_the_stream_makes_it_incomplete() -> None:
    stream = played(start(input_tokens=1), {"type": "error", "error": {"type": "overloaded_error", "message": "full"}})
    assert stream.error == {"type": "overloaded_error", "message": "full"}
    assert not stream.complete


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'{"type":"ping"}',
        b'{"type":"message_delta","delta":7}',
        b'{"type":"message_delta","usage":[]}',
        b'{"type":"new_event"}',
    ],
)
def test_events_of_another_shape_pass_unread(payload: bytes) -> None:
    stream = MessagesStream()
    assert stream.read(payload)
    assert stream.tokens is None
