"""Chat completions say in the canonical form what they mean, or name what cannot be said."""

import json
from typing import Any

import pytest

from clavero.domain.errors import InvalidParameter
from clavero.domain.usage import Tokens
from clavero.wire import canonical as c
from clavero.wire import translate_chat as chat

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PNG = "data:image/png;base64,iVBORw0KGgo="
RICH: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Answer in verse."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Lima"}'}},
                {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "18 °C"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "unknown"}]},
        {"role": "user", "content": "And tomorrow?"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA, "strict": True}}],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "parallel_tool_calls": False,
    "max_completion_tokens": 300,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": "END",
    "response_format": {"type": "json_schema", "json_schema": {"name": "w", "schema": SCHEMA, "strict": True}},
    "reasoning_effort": "low",
    "user": "u-1",
    "stream": True,
    "stream_options": {"include_usage": False},
    "seed": 7,
    "metadata": {"a": "b"},
    "n": 1,
    "frequency_penalty": 0,
}  # fmt: skip


def with_(**members: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **members}


def test_a_rich_request_is_read_whole() -> None:
    talk = chat.read_request(RICH)
    assert [turn.role for turn in talk.turns] == ["system", "system", "user", "assistant", "user", "user", "user"]
    assert talk.turns[2].parts[1] == c.Media("image", "", "image/png", "iVBORw0KGgo=")
    assert talk.turns[3].parts[0] == c.ToolCall("call_1", "weather", '{"city":"Lima"}')
    assert talk.turns[4].parts == (c.ToolResult("call_1", (c.Text("18 °C"),)),)
    assert (talk.cap, talk.stop, talk.choice, talk.parallel, talk.effort, talk.user) == (
        300, ["END"], "=weather", False, "low", "u-1",
    )  # fmt: skip
    assert talk.schema == c.Schema(SCHEMA, "w", strict=True)


def test_what_was_read_is_written_the_same() -> None:
    written = chat.write_request(chat.read_request(RICH))
    assert chat.read_request(written) == chat.read_request(RICH)
    assert written["stream_options"] == {"include_usage": True}
    assert "seed" not in written


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        (with_(n=2), "n"),
        (with_(logit_bias={"1": 5}), "logit_bias"),
        (with_(logprobs=True), "logprobs"),
        (with_(presence_penalty=0.1), "presence_penalty"),
        (with_(prediction={}), "prediction"),
        (with_(service_tier="flex"), "service_tier"),
        (with_(web_search_options={}), "web_search_options"),
        (with_(unheard_of=1), "unheard_of"),
        (with_(response_format={"type": "json_object"}), "response_format"),
        (with_(tool_choice={"type": "allowed_tools"}), "tool_choice"),
        (with_(tools=[{"type": "custom", "custom": {"name": "g"}}]), "tools[0].type"),
        (with_(stop=7), "stop"),
        (with_(messages=[{"role": "function", "name": "f", "content": "x"}]), "messages[0].name"),
        (with_(messages=[{"role": "user", "name": "Ana", "content": "x"}]), "messages[0].name"),
        (with_(messages=[{"role": "narrator", "content": "x"}]), "messages[0].role"),
        (with_(messages=[{"role": "user", "content": [{"type": "input_audio"}]}]), "messages[0].content[0].type"),
        (with_(messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]), "messages[0].content[0].file.file_data"),
        (with_(messages=[{"role": "user", "content": 7}]), "messages[0].content"),
        (with_(messages=[{"role": "assistant", "function_call": {"name": "f"}}]), "messages[0].function_call"),
        (with_(messages=[{"role": "tool", "content": "x"}]), "messages[0].tool_call_id"),
        (with_(messages=[{"role": "assistant", "tool_calls": [{"id": "c"}]}]), "messages[0].tool_calls[0].function"),
    ],
)  # fmt: skip
def test_what_no_other_format_can_say_is_refused_by_name(tree: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        chat.read_request(tree)
    assert caught.value.facts["name"] == name


def test_what_chat_completions_cannot_say_is_refused() -> None:
    picture = c.Media("image", "https://example.com/a.png")
    for part in (c.ToolResult("t", (picture,)), c.Media("file", "https://example.com/a.pdf")):
        with pytest.raises(InvalidParameter):
            chat.write_request(c.Conversation("m", [c.Turn("user", (part,))]))


def test_a_failed_tool_says_so_in_words() -> None:
    result = c.ToolResult("t", (c.Text("no such city"),), failed=True)
    message = chat.write_request(c.Conversation("m", [c.Turn("user", (result, c.Text("Try again")))]))["messages"]
    assert message == [
        {"role": "tool", "tool_call_id": "t", "content": "The tool failed: no such city"},
        {"role": "user", "content": "Try again"},
    ]


def test_a_reply_is_read_and_written_the_same() -> None:
    parts: list[c.Text | c.ToolCall] = [c.Text("Hi"), c.ToolCall("call_1", "f", "{}")]
    reply = c.Reply("chatcmpl-1", "m", parts, "tools", Tokens(3, 2, 1, 4, 5))
    body = chat.write_reply(reply, 1700000000)
    assert chat.read_reply(body) == reply
    assert json.loads(body)["created"] == 1700000000


def test_a_refusal_is_a_filtered_text() -> None:
    body = b'{"id":"x","choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]}'
    assert chat.read_reply(body) == c.Reply("x", "", [c.Text("No.")], "filter")


def test_an_id_is_given_the_form_of_the_format() -> None:
    assert chat.chat_id("msg_1") == "chatcmpl-msg_1"
    assert chat.chat_id("chatcmpl-1") == "chatcmpl-1"
