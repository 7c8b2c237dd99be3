"""Responses tell usage and status as a whole at the end."""

import json
from typing import Any

import pytest

from clavero.domain.usage import Tokens
from clavero.wire.openai_responses import ResponsesStream, read_answer, usage

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 150,
}


def response(status: str, **members: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "gpt-x", "status": status, **members}


def event(kind: str, **members: Any) -> bytes:
    return json.dumps({"type": kind, "sequence_number": 1, **members}).encode()


def test_details_are_taken_out_of_their_totals() -> None:
    assert usage(USAGE) == Tokens(30, 60, 10, 20, 30)
    assert usage({"input_tokens": 5}) is None


def test_a_plain_answer_tells_usage_model_and_status() -> None:
    answer = read_answer(json.dumps(response("completed", usage=USAGE)).encode())
    assert answer == (Tokens(30, 60, 10, 20, 30), "gpt-x", "completed")
    cut = response("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USAGE)
    assert read_answer(json.dumps(cut).encode()).finish == "max_output_tokens"


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_a_stream_is_complete_with_the_response_as_a_whole(status: str) -> None:
    stream = ResponsesStream()
    assert stream.read(event("response.created", response=response("in_progress", usage=None)))
    assert stream.read(event("response.output_text.delta", delta="Hi"))
    assert stream.begun
    assert not stream.complete
    assert stream.read(event(f"response.{status}", response=response(status, usage=USAGE)))
    assert (stream.complete, stream.tokens, stream.model, stream.finish) == (True, usage(USAGE), "gpt-x", status)


def test_a_failed_response_is_an_error_and_its_usage_counts() -> None:
    stream = ResponsesStream()
    failed = response("failed", usage=USAGE, error={"code": "server_error", "message": "down"})
    stream.read(event("response.failed", response=failed))
    assert stream.error == {"code": "server_error", "message": "down"}
    assert stream.tokens == usage(USAGE)
    assert not stream.complete


def test_an_error_event_is_an_error_in_either_shape() -> None:
    stream = ResponsesStream()
    stream.read(event("error", code="rate_limit_exceeded", message="slow down"))
    assert stream.error == {"code": "rate_limit_exceeded", "message": "slow down"}
    stream.read(event("error", error={"message": "down"}))
    assert stream.error == {"message": "down"}


@pytest.mark.parametrize(
    "payload", [b"[DONE]", b"[]", b'{"type":7}', b'{"type":"error.delta","delta":{}}', b'{"response":7}']
)
def test_events_of_another_shape_pass_unread(payload: bytes) -> None:
    stream = ResponsesStream()
    assert stream.read(payload)
    assert stream.error is None
    assert not stream.complete
