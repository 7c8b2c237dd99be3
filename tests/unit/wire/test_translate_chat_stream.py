"""Chunks of chat completions become pieces and pieces become chunks."""

import json
from typing import Any

import pytest

from clavero.domain.usage import Tokens
from clavero.wire import canonical as c
from clavero.wire.translate_chat_stream import ChatPieces, ChatWriter

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"id": "chatcmpl-1", "model": "m", "choices": choices, **more}).encode()


def test_the_first_choice_begins_and_the_usage_ends() -> None:
    pieces = ChatPieces()
    assert pieces.read(b'{"choices":[],"prompt_filter_results":[]}') == []
    assert pieces.read(chunk({"role": "assistant", "content": "Hi"})) == [c.Begin("chatcmpl-1", "m"), c.Text("Hi")]
    assert pieces.read(chunk({}, "length")) == []
    assert pieces.read(json.dumps({"choices": [], "usage": USAGE}).encode()) == [c.End("length", Tokens(3, 0, 0, 2))]
    assert pieces.read(b"[DONE]") == []
    assert pieces.end() == []


def test_a_stream_without_usage_ends_with_done_and_one_without_either_does_not_end() -> None:
    pieces = ChatPieces()
    pieces.read(chunk({"content": "Hi"}))
    pieces.read(chunk({}, "stop"))
    assert pieces.end() == []
    assert pieces.read(b"[DONE]") == [c.End("stop")]


def test_calls_are_told_apart_by_index_or_else_by_id() -> None:
    pieces = ChatPieces()
    read = pieces.read(
        chunk({"tool_calls": [{"index": 3, "id": "a", "function": {"name": "f", "arguments": "{"}}]})
    ) + pieces.read(
        chunk(
            {
                "tool_calls": [
                    {"index": 3, "function": {"arguments": "}"}},
                    {"index": 4, "id": "b", "function": {"name": "g"}},
                ]
            }
        )
    )
    assert read[1:] == [c.CallBegin(0, "a", "f"), c.CallPiece(0, "{"), c.CallPiece(0, "}"), c.CallBegin(1, "b", "g")]
    unnumbered = ChatPieces()
    read = unnumbered.read(chunk({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}))
    assert read[1:] == [c.CallBegin(0, "a", "f"), c.CallPiece(0, "{}")]


@pytest.mark.parametrize(("usage", "last"), [(True, b'"total_tokens":5'), (False, b'"finish_reason":"stop"')])
def test_the_end_tells_usage_only_to_who_asked(usage: bool, last: bytes) -> None:
    writer = ChatWriter({"stream_options": {"include_usage": usage}}, 1700000000)
    head = writer.write(c.Begin("msg_1", "m"))
    assert b'"id":"chatcmpl-msg_1"' in head
    assert b'"created":1700000000' in head
    *_, before, done, rest = writer.write(c.End("stop", Tokens(3, 0, 0, 2))).split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert last in before
