"""Events go through whole, whatever the cuts; what is no event stays behind."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.endpoints import Endpoint
from clavero.domain.usage import Tokens
from clavero.wire import sse
from clavero.wire.answer import Stream
from clavero.wire.anthropic import MessagesStream
from clavero.wire.openai_chat import ChatStream
from clavero.wire.openai_responses import ResponsesStream
from clavero.wire.sse import EventTooLong, Scanner, Splitter, data_of, error_event

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def chunk(text: str = "", finish: str | None = None, **members: Any) -> bytes:
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]
    return sse.event({"id": "c", "model": "gpt-x", "choices": choices, "usage": None, **members})


CHAT = b"".join(
    [
        b": connected\n\n",
        chunk("Hello"),
        chunk(" wörld \n\n data: 🙂"),
        b'data: {"id": "c", "choices": [{"delta": {"content": "torn\n\n',
        b'data: {"id": "\xff"}\n\n',
        chunk("", "stop"),
        sse.event({"id": "c", "model": "gpt-x", "choices": [], "usage": USAGE}),
        b"data: [DONE]\n\n",
    ]
)
MESSAGES = b"".join(
    sse.event(tree, str(tree["type"]))
    for tree in (
        {"type": "message_start", "message": {"model": "claude-x", "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    )
)
RESPONSES = b"".join(
    sse.event(tree, str(tree["type"]))
    for tree in (
        {"type": "response.output_text.delta", "delta": "Hi"},
        {"type": "response.completed", "response": {"model": "m", "status": "completed", "usage": {"input_tokens": 9, "output_tokens": 2}}},
    )
)  # fmt: skip
STREAMS = {
    "chat": (CHAT, ChatStream),
    "messages": (MESSAGES, MessagesStream),
    "responses": (RESPONSES, ResponsesStream),
}


def cut(data: st.DataObject, raw: bytes) -> list[bytes]:
    places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    return [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]


def passed(stream: Stream, reads: list[bytes]) -> tuple[bytes, list[Any]]:
    scanner = Scanner(stream)
    out = b"".join(scanner.feed(read) for read in reads) + scanner.end()
    facts = [stream.tokens, stream.model, stream.finish, stream.begun, stream.complete, stream.error, stream.said]
    return out, [*facts, stream.chunks, scanner.skipped]


@given(st.data(), st.sampled_from(list(STREAMS)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cut_of_a_stream_into_reads_gives_the_same(data: st.DataObject, name: str, line_end: bytes) -> None:
    raw, made = STREAMS[name]
    raw = raw.replace(b"\n", line_end)
    assert passed(made(), cut(data, raw)) == passed(made(), [raw])


@given(st.data(), st.booleans())
def test_any_cut_withholds_the_same(data: st.DataObject, withhold: bool) -> None:
    out, facts = passed(ChatStream(withhold=withhold), cut(data, CHAT))
    assert (b'"prompt_tokens"' in out) is not withhold
    assert facts[0] == Tokens(9, 0, 0, 2)
    assert out.endswith(b"data: [DONE]\n\n")


@given(st.data())
def test_whatever_arrives_is_never_fatal(data: st.DataObject) -> None:
    lines = st.sampled_from(
        [b"data: {}", b"data:{", b"\n", b"\r", b"event: x", b"data", b":", b"\xff", b'data: {"usage":[]}']
    )
    raw = b"".join(data.draw(st.lists(lines | st.binary(max_size=9), max_size=20)))
    for made in (ChatStream, MessagesStream, ResponsesStream):
        passed(made(), cut(data, raw))


def test_what_goes_on_is_what_came_byte_for_byte_but_for_what_is_no_json() -> None:
    out, facts = passed(ChatStream(), [CHAT])
    kept = [event for event in CHAT.split(b"\n\n") if b"torn" not in event and b"\xff" not in event]
    assert out == b"\n\n".join(kept)
    assert facts[-1] == 2
    assert passed(MessagesStream(), [MESSAGES])[0] == MESSAGES


def test_a_read_that_ends_within_an_event_passes_only_what_is_whole() -> None:
    scanner = Scanner(ChatStream())
    first, second = chunk("one"), chunk("two")
    assert scanner.feed(first + second[:20]) == first
    assert scanner.feed(second[20:-1]) == b""
    assert scanner.feed(second[-1:]) == second
    assert scanner.end() == b""


def test_a_last_event_without_its_blank_line_counts_if_it_is_one() -> None:
    scanner = Scanner(ChatStream())
    scanner.feed(chunk("one") + b"data: [DONE]")
    assert scanner.end() == b"data: [DONE]\n\n"
    assert scanner.stream.complete
    torn = Scanner(ChatStream())
    torn.feed(chunk("one") + chunk("two")[:-30])
    assert torn.end() == b""
    assert not torn.stream.complete


def test_after_an_error_of_the_provider_nothing_more_goes_on() -> None:
    scanner = Scanner(ChatStream())
    first = chunk("one")
    assert scanner.feed(first + sse.event({"error": {"message": "down"}}) + chunk("two") + b"data: [DONE]\n\n") == first
    assert scanner.feed(chunk("three")) == b""
    assert not scanner.stream.complete


def test_an_endless_event_is_refused() -> None:
    splitter = Splitter()
    splitter.feed(b"x" * sse.MOST_HELD)
    with pytest.raises(EventTooLong):
        splitter.feed(b"x")


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\n\n", b"{}"),
        (b"event: x\ndata: {}\nid: 7\n\n", b"{}"),
        (b"data: {\ndata: }\n\n", b"{\n}"),
        (b"data: {}\r\n\r\n", b"{}"),
        (b": ping\n\n", b""),
        (b"event: ping\n\n", b""),
        (b"\n\n", b""),
    ],
)
def test_the_data_of_an_event_is_read_as_the_standard_says(event: bytes, data: bytes) -> None:
    assert data_of(event) == data


def parsed(raw: bytes) -> list[tuple[str, Any]]:
    found = []
    for block in raw.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields.get("event", ""), json.loads(fields["data"])))
    return found


def test_an_error_inside_a_stream_has_the_form_that_clients_of_its_dialect_read() -> None:
    body = {"error": {"message": "cut", "type": "api_error", "code": "stream_interrupted"}}
    assert parsed(error_event(Endpoint.CHAT, body)) == [("", body)]
    told = {"type": "error", "error": {"type": "api_error", "message": "cut"}}
    assert parsed(error_event(Endpoint.MESSAGES, told)) == [("error", told)]
    (failed, response), (name, error) = parsed(error_event(Endpoint.RESPONSES, body))
    assert (failed, name) == ("response.failed", "error")
    assert response["response"]["error"] == {"code": "stream_interrupted", "message": "cut"}
    assert (error["type"], error["message"], error["error"]) == ("error", "cut", body["error"])
