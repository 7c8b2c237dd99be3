"""Responses are read for providers that do not speak them, and answers written as they would be."""

import json
from typing import Any

import pytest

from clavero.domain.errors import InvalidParameter
from clavero.domain.usage import Tokens
from clavero.wire import canonical as c
from clavero.wire import translate_responses as responses

SCHEMA = {"type": "object", "properties": {}}
RICH: dict[str, Any] = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {"role": "developer", "content": "In verse."},
        {"role": "user", "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AA=="},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
        ]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "one"},
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "two"}]},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}],
    "tool_choice": {"type": "function", "name": "f"},
    "max_output_tokens": 300,
    "text": {"format": {"type": "json_schema", "name": "w", "schema": SCHEMA}},
    "reasoning": {"effort": "high", "summary": "auto"},
    "store": True,
    "truncation": "disabled",
}  # fmt: skip


def with_(**members: Any) -> dict[str, Any]:
    return {"model": "m", "input": "Hi", **members}


def test_a_rich_request_is_read_whole() -> None:
    talk = responses.read_request(RICH)
    assert [turn.role for turn in talk.turns] == ["system", "system", "user", "assistant", "assistant", "user", "user"]
    assert [part for part in talk.turns[4].parts if isinstance(part, c.ToolCall)] == [
        c.ToolCall("call_1", "f", "{}"),
        c.ToolCall("call_2", "f", "{}"),
    ]
    assert (talk.cap, talk.choice, talk.effort, talk.schema) == (300, "=f", "high", c.Schema(SCHEMA, "w"))


def test_calls_at_the_end_are_not_lost() -> None:
    given = [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]
    assert responses.read_request(with_(input=given)).turns == [c.Turn("assistant", (c.ToolCall("c", "f", "{}"),))]


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        (with_(previous_response_id="resp_1"), "previous_response_id"),
        (with_(conversation="conv_1"), "conversation"),
        (with_(prompt={"id": "p"}), "prompt"),
        (with_(background=True), "background"),
        (with_(truncation="auto"), "truncation"),
        (with_(include=["file_search_call.results"]), "include"),
        (with_(text={"verbosity": "low"}), "text.verbosity"),
        (with_(text={"format": {"type": "json_object"}}), "text.format"),
        (with_(tools=[{"type": "web_search"}]), "tools[0].type"),
        (with_(tool_choice={"type": "mcp"}), "tool_choice"),
        (with_(input=None), "input"),
        (with_(input=[{"type": "item_reference", "id": "i"}]), "input[0].type"),
        (with_(input=[{"role": [], "content": "x"}]), "input[0].role"),
        (with_(input=[{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]), "input[0].content[0].image_url"),
        (with_(input=[{"role": "user", "content": [{"type": "input_audio"}]}]), "input[0].content[0].type"),
        (with_(input=[{"type": "function_call", "name": "f", "arguments": "{}"}]), "input[0].call_id"),
    ],
)  # fmt: skip
def test_what_no_other_format_can_say_is_refused_by_name(tree: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        responses.read_request(tree)
    assert caught.value.facts["name"] == name


def test_a_reply_is_written_with_what_was_asked() -> None:
    parts: list[c.Text | c.ToolCall] = [c.Text("Hi"), c.ToolCall("call_1", "f", "{}")]
    reply = c.Reply("chatcmpl-1", "m", parts, "tools", Tokens(3, 2, 1, 4, 5))
    tree = json.loads(responses.write_reply(reply, with_(temperature=0.5, metadata={"a": "b"}), 1700000000))
    assert (tree["id"], tree["status"], tree["temperature"], tree["metadata"]) == (
        "resp_chatcmpl-1",
        "completed",
        0.5,
        {"a": "b"},
    )
    assert [item["type"] for item in tree["output"]] == ["message", "function_call"]
    assert tree["usage"]["input_tokens_details"] == {"cached_tokens": 2, "cache_write_tokens": 1}
    assert tree["usage"]["total_tokens"] == 15


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("filter", "content_filter")])
def test_an_answer_that_was_cut_short_is_incomplete_and_says_why(finish: c.Finish, reason: str) -> None:
    tree = json.loads(responses.write_reply(c.Reply("x", "m", [], finish), with_(), 0))
    assert (tree["status"], tree["incomplete_details"]) == ("incomplete", {"reason": reason})
