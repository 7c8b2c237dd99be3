"""Events of messages become pieces and pieces become events."""

import json
from typing import Any

import pytest

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import Tokens
from clavero.wire import canonical as c
from clavero.wire import sse
from clavero.wire.translate_messages_stream import MessagesPieces, MessagesWriter


def event(**members: Any) -> bytes:
    return json.dumps(members).encode()


def kinds(raw: bytes) -> list[tuple[str, int | None]]:
    trees = [json.loads(sse.data_of(block)) for block in raw.split(b"\n\n") if block]
    return [(tree["type"], tree.get("index")) for tree in trees]


def test_blocks_of_calls_are_numbered_apart_from_other_blocks() -> None:
    pieces = MessagesPieces()
    assert pieces.read(event(type="content_block_start", index=0, content_block={"type": "text", "text": ""})) == []
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    assert pieces.read(event(type="content_block_start", index=2, content_block=call)) == [c.CallBegin(0, "t", "f")]
    piece = {"type": "input_json_delta", "partial_json": "{}"}
    assert pieces.read(event(type="content_block_delta", index=2, delta=piece)) == [c.CallPiece(0, "{}")]
    assert pieces.read(event(type="content_block_delta", index=7, delta=piece)) == []
    assert pieces.read(event(type="content_block_delta", index=[], delta=piece)) == []


def test_the_stop_sequence_is_told_at_the_end() -> None:
    pieces = MessagesPieces()
    delta = {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert pieces.read(event(type="message_delta", delta=delta, usage={"output_tokens": 2})) == []
    assert pieces.read(event(type="message_stop")) == [c.End("stop", Tokens(0, 0, 0, 2), "END")]
    assert pieces.end() == []


def test_a_new_block_closes_the_one_before() -> None:
    writer = MessagesWriter({}, 0)
    raw = b"".join(
        writer.write(piece)
        for piece in (c.Begin("x", "m"), c.Text("a"), c.Text("b"), c.CallBegin(0, "t", "f"), c.CallPiece(0, "{}"),
                      c.CallBegin(1, "u", "g"), c.Text("c"), c.End("tools"))
    )  # fmt: skip
    assert kinds(raw) == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("content_block_start", 2),
        ("content_block_stop", 2),
        ("content_block_start", 3),
        ("content_block_delta", 3),
        ("content_block_stop", 3),
        ("message_delta", None),
        ("message_stop", None),
    ]


def test_an_answer_of_nothing_has_no_block() -> None:
    writer = MessagesWriter({}, 0)
    raw = writer.write(c.Begin("x", "m")) + writer.write(c.End("stop"))
    assert kinds(raw) == [("message_start", None), ("message_delta", None), ("message_stop", None)]


def test_going_back_to_a_call_that_ended_is_the_providers_fault() -> None:
    writer = MessagesWriter({}, 0)
    for piece in (c.CallBegin(0, "t", "f"), c.CallBegin(1, "u", "g")):
        writer.write(piece)
    with pytest.raises(BadAnswer):
        writer.write(c.CallPiece(0, "{}"))
