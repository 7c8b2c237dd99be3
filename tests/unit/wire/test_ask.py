"""What a request asks for is read exactly, or refused by the name of the parameter."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidParameter
from clavero.wire import ask as asks
from clavero.wire.ask import READERS, read_chat, read_count_tokens, read_embeddings, read_messages, read_responses
from clavero.wire.body import encode

Tree = dict[str, Any]


def chat(**more: Any) -> Tree:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], **more}


def messages(**more: Any) -> Tree:
    return {"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [{"role": "user", "content": "Hi"}], **more}


def responses(**more: Any) -> Tree:
    return {"model": "gpt-4o-mini", "input": "Hi", **more}


def said(*parts: Tree) -> list[Tree]:
    return [{"role": "user", "content": list(parts)}]


def test_a_plain_chat_is_read() -> None:
    tree = chat(stream=True, max_tokens=7, n=3, stream_options={"include_usage": True}, tools=[{"type": "function"}])
    ask = read_chat(tree)
    assert (ask.endpoint, ask.model, ask.stream, ask.n) == (Endpoint.CHAT, "gpt-4o-mini", True, 3)
    assert (ask.cap, ask.cap_parameter, ask.usage_asked, ask.tools) == (7, "max_tokens", True, 1)
    assert ask.tree is tree
    assert ask.unbounded == ()


def test_what_is_null_is_as_if_absent() -> None:
    ask = read_chat(
        chat(stream=None, max_tokens=None, max_completion_tokens=9, n=None, stream_options=None, tools=None)
    )
    assert (ask.stream, ask.cap, ask.cap_parameter, ask.n, ask.usage_asked) == (
        False, 9, "max_completion_tokens", 1, False,
    )  # fmt: skip


@pytest.mark.requirement(33)
@pytest.mark.parametrize(
    ("tree", "name"),
    [
        ({}, "messages"),
        ({"messages": [{}]}, "model"),
        (chat(model=""), "model"),
        (chat(model=7), "model"),
        (chat(model="x" * 257), "model"),
        (chat(messages=[]), "messages"),
        (chat(messages="Hi"), "messages"),
        (chat(messages=[{}, "Hi"]), "messages[1]"),
        (chat(stream="yes"), "stream"),
        (chat(stream=1), "stream"),
        (chat(n=0), "n"),
        (chat(n=129), "n"),
        (chat(n=True), "n"),
        (chat(n=2.0), "n"),
        (chat(max_tokens=-1), "max_tokens"),
        (chat(max_tokens="5"), "max_tokens"),
        (chat(max_tokens=0.5), "max_tokens"),
        (chat(max_tokens=5, max_completion_tokens=6), "max_tokens"),
        (chat(stream_options=True), "stream_options"),
        (chat(stream_options={"include_usage": 1}), "stream_options.include_usage"),
        (chat(tools={}), "tools"),
    ],
)
def test_a_chat_is_refused_by_the_name_of_what_is_wrong(tree: Tree, name: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read_chat(tree)
    assert caught.value.facts["name"] == name
    assert caught.value.facts["rule"]


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        (messages(max_tokens=None), "max_tokens"),
        (messages(max_tokens=0), "max_tokens"),
        (messages(messages=None), "messages"),
        (messages(thinking="on"), "thinking"),
        (messages(thinking={"type": "enabled", "budget_tokens": "all"}), "thinking.budget_tokens"),
        (messages(thinking={"type": "enabled", "budget_tokens": 2000}), "thinking.budget_tokens"),
    ],
)
def test_a_message_is_refused_by_the_name_of_what_is_wrong(tree: Tree, name: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read_messages(tree)
    assert caught.value.facts["name"] == name


def test_a_cap_that_leaves_no_room_for_the_thinking_is_refused_with_the_reason() -> None:
    ask = read_messages(messages(thinking={"type": "enabled", "budget_tokens": 1500}))
    asks.check_cap(ask, 1501)
    with pytest.raises(InvalidParameter, match=r"1500, the cap here is 1024"):
        asks.check_cap(ask, 1024)


def test_counting_needs_no_cap_and_embeddings_take_texts_or_tokens() -> None:
    assert read_count_tokens(messages(max_tokens=None)).endpoint is Endpoint.COUNT_TOKENS
    for given_input in ("Hi", ["Hi", "there"], [1, 2], [[1], [2]]):
        assert read_embeddings({"model": "m", "input": given_input}).endpoint is Endpoint.EMBEDDINGS


@pytest.mark.parametrize("bad", ["", [], None, 7, {}])
def test_nothing_to_embed_is_refused(bad: object) -> None:
    with pytest.raises(InvalidParameter):
        read_embeddings({"model": "m", "input": bad})


def test_a_response_may_have_items_or_text_or_a_conversation_of_the_provider() -> None:
    assert read_responses(responses(max_output_tokens=99)).cap_parameter == "max_output_tokens"
    assert read_responses(responses(input=[{"role": "user", "content": "Hi"}])).unbounded == ()
    assert read_responses({"model": "m", "conversation": "conv_1"}).unbounded == ("conversation",)
    with pytest.raises(InvalidParameter):
        read_responses(responses(input=7))


@pytest.mark.parametrize(
    ("tree", "counts"),
    [
        (chat(messages=said({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})), (1, 0, 0, 0)),
        (chat(messages=said({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}})), (0, 1, 0, 0)),
        (chat(messages=said({"type": "file", "file": {"file_id": "file-1"}})), (0, 0, 1, 0)),
        (chat(messages=said({"type": "file", "file": {"file_data": "data:"}})), (0, 0, 0, 1)),
        (chat(messages=said({"type": "text", "text": "data:"})), (0, 0, 0, 0)),
    ],
)
def test_images_and_files_of_a_chat_are_counted_inline_apart(tree: Tree, counts: tuple[int, ...]) -> None:
    ask = read_chat(tree)
    assert (ask.images, ask.images_inline, ask.files, ask.files_inline) == counts


def test_images_and_files_of_a_message_are_counted_inside_tool_results_and_documents_too() -> None:
    by_url = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    inline = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    held = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
    made = {"type": "document", "source": {"type": "content", "content": [by_url]}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [by_url, inline]}
    ask = read_messages(messages(messages=said(result, held, made)))
    assert (ask.images, ask.images_inline, ask.files, ask.files_inline) == (2, 1, 1, 1)


def test_images_and_files_of_a_response_are_counted() -> None:
    parts = said(
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AA"},
    )
    ask = read_responses(responses(input=parts))
    assert (ask.images, ask.images_inline, ask.files, ask.files_inline) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("reader", "tree", "name"),
    [
        (read_chat, chat(web_search_options={}), "web_search_options"),
        (read_chat, chat(service_tier="priority"), "service_tier priority"),
        (read_chat, chat(modalities=["text", "audio"]), "modalities audio"),
        (read_chat, chat(messages=[{"role": "assistant", "audio": {"id": "a"}}]), "messages[].audio"),
        (read_responses, responses(previous_response_id="resp_1"), "previous_response_id"),
        (read_responses, responses(prompt={"id": "pmpt_1"}), "prompt"),
        (read_responses, responses(background=True), "background"),
        (read_responses, responses(tools=[{"type": "web_search"}]), "tools web_search"),
        (read_responses, responses(input=[{"type": "item_reference", "id": "i"}]), "item_reference"),
        (read_messages, messages(tools=[{"type": "web_search_20250305"}]), "tools web_search_20250305"),
        (read_messages, messages(mcp_servers=[{"url": "https://example.com"}]), "mcp_servers"),
        (read_messages, messages(speed="fast"), "speed fast"),
        (read_messages, messages(inference_geo="us"), "inference_geo"),
        (read_messages, messages(system=[{"type": "text", "cache_control": {"ttl": "1h"}}]), "cache_control 1h"),
        (read_messages, messages(context_management={"edits": [{"type": "compact_20260112"}]}), "context_management"),
    ],
)  # fmt: skip
def test_what_makes_the_cost_unbounded_is_named_and_not_refused(reader: Any, tree: Tree, name: str) -> None:
    assert reader(tree).unbounded == (name,)


def test_what_the_caller_runs_itself_is_bounded() -> None:
    tools = [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]
    assert read_responses(responses(tools=tools)).unbounded == ()
    blocks = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]
    clearing = {"edits": [{"type": "clear_thinking_20251015"}]}
    named = [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]
    tree = messages(tools=named, system=blocks, context_management=clearing, inference_geo="global")
    assert read_messages(tree).unbounded == ()


def test_rewriting_changes_nothing_else_and_not_what_was_read() -> None:
    tree = chat(max_tokens=9, unknown={"b": 1, "a": [1.5]}, stream_options={"include_obfuscation": False})
    before = copy.deepcopy(tree)
    assert asks.write_model(tree, "other") == {**before, "model": "other"}
    assert list(asks.write_model(tree, "other")) == list(before)
    assert asks.write_cap(tree, "max_tokens", 5) == {**before, "max_tokens": 5}
    swapped = asks.write_cap(tree, "max_completion_tokens", 5)
    assert "max_tokens" not in swapped
    assert swapped["max_completion_tokens"] == 5
    options = asks.ask_usage(tree)["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}
    assert asks.ask_usage(chat())["stream_options"] == {"include_usage": True}
    assert tree == before


@given(
    st.dictionaries(
        st.sampled_from(["model", "max_tokens", "max_completion_tokens", "x", "y"]), st.integers(), min_size=1
    )
)
def test_a_draft_with_its_cap_says_what_writing_the_cap_says(tree: Tree) -> None:
    tree = {"model": "m", **tree}
    sketch = asks.draft(tree, "max_tokens")
    assert json.loads(asks.capped(sketch, "max_tokens", 77)) == asks.write_cap(tree, "max_tokens", 77)
    assert asks.capped(asks.draft(tree, ""), "", 77) == encode(tree)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "content", "image_url", "url", "file", "source", "cache_control", "ttl", "edits", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_NAMES = ["model", "messages", "input", "stream", "n", "max_tokens", "max_output_tokens", "stream_options", "tools", "system",
          "functions", "thinking", "service_tier", "modalities", "mcp_servers", "context_management", "audio", "background"]  # fmt: skip


@given(
    st.sampled_from(list(READERS)),
    st.dictionaries(st.sampled_from(_NAMES), _ANY),
    st.lists(
        st.dictionaries(st.sampled_from(["role", "content", "output", "audio", "type"]), _ANY), min_size=1, max_size=3
    ),
)
def test_a_reader_never_fails_otherwise_than_by_naming_a_parameter(
    endpoint: Endpoint, tree: Tree, said: list[Tree]
) -> None:
    for whole in (tree, {"model": "m", "max_tokens": 10, **tree, "messages": said, "input": said}):
        try:
            assert READERS[endpoint](whole).tree is whole
        except InvalidParameter:
            continue
