"""Pieces become the events of a response, in the order of the original."""

import json
from typing import Any

import pytest

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import Tokens
from clavero.wire import canonical as c
from clavero.wire import sse
from clavero.wire.translate_responses_stream import ResponsesWriter


def written(*pieces: c.Piece) -> list[dict[str, Any]]:
    writer = ResponsesWriter({"model": "m"}, 1700000000)
    raw = b"".join(writer.write(piece) for piece in pieces)
    return [json.loads(sse.data_of(block)) for block in raw.split(b"\n\n") if block]


def test_text_and_calls_are_items_that_begin_and_end() -> None:
    events = written(
        c.Begin("x", "m"), c.Text("a"), c.Text("b"), c.CallBegin(0, "t", "f"), c.CallPiece(0, "{}"), c.Text("c"),
        c.End("stop", Tokens(3, 0, 0, 2)),
    )  # fmt: skip
    assert [(event["type"].removeprefix("response."), event.get("output_index")) for event in events] == [
        ("created", None),
        ("in_progress", None),
        ("output_item.added", 0),
        ("content_part.added", 0),
        ("output_text.delta", 0),
        ("output_text.delta", 0),
        ("output_text.done", 0),
        ("content_part.done", 0),
        ("output_item.done", 0),
        ("output_item.added", 1),
        ("function_call_arguments.delta", 1),
        ("function_call_arguments.done", 1),
        ("output_item.done", 1),
        ("output_item.added", 2),
        ("content_part.added", 2),
        ("output_text.delta", 2),
        ("output_text.done", 2),
        ("content_part.done", 2),
        ("output_item.done", 2),
        ("completed", None),
    ]
    identities = {event["item"]["id"] for event in events if "item" in event}
    assert identities == {"msg_x", "fc_t", "msg_x_2"}
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message", "function_call", "message"]
    assert events[0]["response"]["status"] == "in_progress"


def test_an_answer_that_was_cut_short_ends_as_incomplete() -> None:
    *_, last = written(c.Begin("x", "m"), c.Text("a"), c.End("length"))
    assert (last["type"], last["response"]["incomplete_details"]) == (
        "response.incomplete",
        {"reason": "max_output_tokens"},
    )


def test_a_call_without_arguments_has_an_empty_object() -> None:
    *_, last = written(c.Begin("x", "m"), c.CallBegin(0, "t", "f"), c.End("tools"))
    assert last["response"]["output"][0]["arguments"] == "{}"


def test_going_back_to_a_call_that_ended_is_the_providers_fault() -> None:
    with pytest.raises(BadAnswer):
        written(c.Begin("x", "m"), c.CallBegin(0, "t", "f"), c.Text("a"), c.CallPiece(0, "{}"))
