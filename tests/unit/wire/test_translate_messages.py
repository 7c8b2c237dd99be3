"""Messages say in the canonical form what they mean, or name what cannot be said."""

from typing import Any

import pytest

from clavero.domain.errors import InvalidParameter
from clavero.domain.usage import Tokens
from clavero.wire import canonical as c
from clavero.wire import translate_messages as messages

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
RICH: dict[str, Any] = {
    "model": "m",
    "max_tokens": 300,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "document", "title": "a.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Lima"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such city", "is_error": True},
            {"type": "text", "text": "Try again"},
        ]},
        {"role": "system", "content": "Now in Spanish."},
        {"role": "user", "content": "Please"},
    ],
    "tools": [{"name": "weather", "description": "d", "input_schema": SCHEMA}],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "stop_sequences": ["END"],
    "temperature": 0.5,
    "top_p": 0.9,
    "metadata": {"user_id": "u-1"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "thinking": {"type": "disabled"},
    "service_tier": "auto",
    "stream": True,
}  # fmt: skip


def with_(**members: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **members}


def said(**block: Any) -> dict[str, Any]:
    return with_(messages=[{"role": "user", "content": [block]}])


def test_a_rich_request_is_read_whole() -> None:
    talk = messages.read_request(RICH)
    assert [turn.role for turn in talk.turns] == ["system", "user", "assistant", "user", "system", "user"]
    assert talk.turns[2].parts == (c.Text("Let me see."), c.ToolCall("toolu_1", "weather", '{"city":"Lima"}'))
    assert talk.turns[3].parts[0] == c.ToolResult("toolu_1", (c.Text("no such city"),), failed=True)
    assert (talk.cap, talk.choice, talk.parallel, talk.effort, talk.user) == (300, "required", False, "low", "u-1")


def test_what_was_read_is_written_the_same() -> None:
    written = messages.write_request(messages.read_request(RICH))
    assert messages.read_request(written) == messages.read_request(RICH)
    assert written["system"] == [{"type": "text", "text": "Be brief."}]
    assert written["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}


def test_results_of_tools_and_what_follows_stand_in_one_message() -> None:
    turns = [c.Turn("user", (c.ToolResult(name, (c.Text("x"),)),)) for name in "ab"] + [c.Turn("user", (c.Text("?"),))]
    written = messages.write_request(c.Conversation("m", turns))["messages"]
    assert len(written) == 1
    assert [block["type"] for block in written[0]["content"]] == ["tool_result", "tool_result", "text"]


def test_empty_texts_are_left_out_and_a_talk_of_nothing_is_refused() -> None:
    turns = [c.Turn("user", (c.Text("Hi"),)), c.Turn("assistant", (c.Text(""),)), c.Turn("user", (c.Text("?"),))]
    assert len(messages.write_request(c.Conversation("m", turns))["messages"]) == 1
    with pytest.raises(InvalidParameter):
        messages.write_request(c.Conversation("m", [c.Turn("system", (c.Text("Be brief."),))]))


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        (with_(top_k=5), "top_k"),
        (with_(thinking={"type": "enabled", "budget_tokens": 5}), "thinking"),
        (with_(mcp_servers=[{}]), "mcp_servers"),
        (with_(container="c"), "container"),
        (with_(speed="fast"), "speed"),
        (with_(output_config={"task_budget": {}}), "output_config.task_budget"),
        (with_(output_config={"format": {"type": "xml"}}), "output_config.format"),
        (with_(tools=[{"type": "web_search_20250305", "name": "web_search"}]), "tools[0].type"),
        (with_(tool_choice="auto"), "tool_choice"),
        (with_(tool_choice={"type": []}), "tool_choice"),
        (with_(messages=[{"role": "tool", "content": "x"}]), "messages[0].role"),
        (with_(messages=[{"role": "user"}]), "messages[0].content"),
        (said(type="search_result"), "messages[0].content[0].type"),
        (said(type="image", source={"type": "file", "file_id": "f"}), "messages[0].content[0].source.type"),
        (said(type="document", source={"type": "url", "url": "u"}), "messages[0].content[0].source.type"),
        (said(type="tool_result", tool_use_id="t", content=[{"type": "image", "source": {"type": "url", "url": "u"}}]), "messages[0].content[0].content"),
        (said(type="tool_use", id="t", name="f", input="x"), "messages[0].content[0].input"),
    ],
)  # fmt: skip
def test_what_no_other_format_can_say_is_refused_by_name(tree: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        messages.read_request(tree)
    assert caught.value.facts["name"] == name


@pytest.mark.parametrize(
    ("talk", "name"),
    [
        (c.Conversation("m", [], temperature=1.5), "temperature"),
        (c.Conversation("m", [], effort="minimal"), "reasoning_effort"),
        (c.Conversation("m", [c.Turn("assistant", (c.ToolCall("t", "f", "{oops"),))]), "tool_calls.function.arguments"),
    ],
)
def test_what_messages_cannot_say_is_refused_by_name(talk: c.Conversation, name: str) -> None:
    talk.turns = [c.Turn("user", (c.Text("Hi"),)), *talk.turns]
    with pytest.raises(InvalidParameter) as caught:
        messages.write_request(talk)
    assert caught.value.facts["name"] == name


def test_a_choice_of_tools_is_said_only_where_there_are_tools() -> None:
    turns = [c.Turn("user", (c.Text("Hi"),))]
    assert "tool_choice" not in messages.write_request(c.Conversation("m", turns, choice="required"))
    tools = [c.Tool("f")]
    chosen = [
        messages.write_request(c.Conversation("m", turns, tools, choice, parallel)).get("tool_choice")
        for choice, parallel in ((None, None), (None, False), ("none", False), ("=f", None))
    ]
    assert chosen == [
        None,
        {"type": "auto", "disable_parallel_tool_use": True},
        {"type": "none"},
        {"type": "tool", "name": "f"},
    ]


def test_a_reply_is_read_and_written_the_same() -> None:
    parts: list[c.Text | c.ToolCall] = [c.Text("Hi"), c.ToolCall("toolu_1", "f", '{"a":1}')]
    reply = c.Reply("msg_1", "m", parts, "tools", Tokens(3, 2, 1, 9))
    assert messages.read_reply(messages.write_reply(reply)) == reply
    stopped = c.Reply("msg_1", "m", [c.Text("Hi")], "stop", stop="END")
    assert messages.read_reply(messages.write_reply(stopped)) == stopped


def test_an_id_is_given_the_form_of_the_format() -> None:
    assert messages.message_id("chatcmpl-1") == "msg_chatcmpl-1"
    assert messages.message_id("msg_1") == "msg_1"
