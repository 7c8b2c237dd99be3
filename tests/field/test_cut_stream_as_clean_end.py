"""A stream that the provider cut is never a clean 200: Portkey-AI/gateway#1797."""

from typing import Any

import pytest

from clavero.domain.endpoints import Endpoint
from clavero.wire import formats, sse
from clavero.wire.sse import Scanner

CHAT: list[dict[str, Any]] = [
    {"id": "c", "choices": [{"index": 0, "delta": {"content": "The answer is"}, "finish_reason": None}]},
    {"id": "c", "choices": [{"index": 0, "delta": {"content": " 42"}, "finish_reason": None}]},
    {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"id": "c", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}},
]
MESSAGES: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "The answer is 42"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]
RESPONSES: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"model": "m", "status": "in_progress"}},
    {"type": "response.output_text.delta", "delta": "The answer is 42"},
    {
        "type": "response.completed",
        "response": {"status": "completed", "usage": {"input_tokens": 5, "output_tokens": 4}},
    },
]
STREAMS = {
    Endpoint.CHAT: CHAT,
    Endpoint.MESSAGES: MESSAGES,
    Endpoint.RESPONSES: RESPONSES,
}


@pytest.mark.requirement(29)
@pytest.mark.parametrize("endpoint", list(STREAMS))
def test_only_the_last_byte_that_matters_makes_a_stream_complete(endpoint: Endpoint) -> None:
    raw = b"".join(sse.event(tree) for tree in STREAMS[endpoint])
    for end in range(len(raw)):
        scanner = Scanner(formats.stream(endpoint))
        scanner.feed(raw[:end])
        scanner.end()
        whole_event = raw[:end].rstrip(b"\n") == raw.rstrip(b"\n")  # all but the blank line
        assert scanner.stream.complete is whole_event, raw[:end][-40:]
    scanner = Scanner(formats.stream(endpoint))
    scanner.feed(raw)
    assert scanner.stream.complete


@pytest.mark.parametrize("endpoint", list(STREAMS))
def test_nothing_torn_reaches_the_caller_before_the_error_that_tells_it(endpoint: Endpoint) -> None:
    raw = b"".join(sse.event(tree) for tree in STREAMS[endpoint])
    for end in range(len(raw)):
        scanner = Scanner(formats.stream(endpoint))
        out = scanner.feed(raw[:end]) + scanner.end()
        assert out == b"" or out.endswith(b"}\n\n")
