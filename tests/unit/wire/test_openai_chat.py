"""Chat completions tell their usage once, with parts inside totals."""

import json
from typing import Any

import pytest

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import Tokens
from clavero.wire.openai_chat import ChatStream, read_answer, usage

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 30},
}


def chunk(**members: Any) -> bytes:
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "model": "gpt-x", **members}).encode()


def delta(finish: str | None = None, **members: Any) -> bytes:
    return chunk(choices=[{"index": 0, "delta": members, "finish_reason": finish}])


def test_cached_written_and_reasoning_tokens_are_taken_out_of_their_totals() -> None:
    assert usage(USAGE) == Tokens(input=30, cached=60, cache_write=10, output=20, reasoning=30)


@pytest.mark.parametrize(
    "reported", [None, {}, [], "x", {"prompt_tokens": 1}, {"prompt_tokens": "1", "completion_tokens": 2}]
)
def test_what_is_no_usage_is_none(reported: Any) -> None:
    assert usage(reported) is None


def test_details_of_another_shape_do_not_spoil_the_totals() -> None:
    reported = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": [], "completion_tokens_details": 7}
    assert usage(reported) == Tokens(3, 0, 0, 2, 0)


def test_a_plain_answer_tells_usage_model_and_finish() -> None:
    choices = [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
    body = json.dumps({"model": "gpt-x", "choices": choices, "usage": USAGE}).encode()
    answer = read_answer(body)
    assert (answer.model, answer.finish) == ("gpt-x", "stop")
    assert answer.tokens == usage(USAGE)
    assert read_answer(b'{"model":null,"choices":[]}').tokens is None
    with pytest.raises(BadAnswer):
        read_answer(b"upstream connect error")


def test_a_stream_is_complete_when_it_says_done() -> None:
    stream = ChatStream()
    assert stream.read(delta(role="assistant", content=""))
    begun = [stream.begun, stream.read(delta(content="Hi")), stream.begun]
    assert begun == [False, True, True]
    assert stream.read(delta(finish="stop"))
    assert stream.read(chunk(choices=[], usage=USAGE))
    assert stream.read(b"[DONE]")
    assert (stream.complete, stream.finish, stream.model, stream.tokens) == (True, "stop", "gpt-x", usage(USAGE))


def test_a_finish_with_its_usage_ends_a_stream_that_never_says_done() -> None:
    stream = ChatStream()
    stream.read(delta(content="Hi"))
    stream.read(delta(finish="stop"))
    assert not stream.complete
    stream.read(chunk(choices=[], usage=USAGE))
    assert stream.complete


def test_usage_alone_is_withheld_and_usage_beside_text_is_not() -> None:
    stream = ChatStream(withhold=True)
    assert stream.read(chunk(choices=[], usage=None, prompt_filter_results=[]))
    assert stream.read(chunk(choices=[{"index": 0, "delta": {"content": "x"}}], usage=USAGE))
    assert not stream.read(chunk(choices=[], usage=USAGE))
    assert stream.tokens == usage(USAGE)


@pytest.mark.parametrize(
    "members",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"refusal": "no"},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"function_call": {"arguments": "{}"}},
    ],
)
def test_output_of_every_kind_is_a_first_token(members: dict[str, Any]) -> None:
    stream = ChatStream()
    stream.read(delta(**members))
    assert stream.begun


@pytest.mark.parametrize("error", [{"message": "down"}, "down"])
def test_an_error_in_the_stream_makes_it_incomplete_whatever_follows(error: Any) -> None:
    stream = ChatStream()
    stream.read(chunk(error=error))
    stream.read(b"[DONE]")
    assert stream.error == {"message": "down"}
    assert not stream.complete


@pytest.mark.parametrize(
    "payload", [b"[]", b"7", b'{"choices":{}}', b'{"choices":[7]}', b'{"usage":{"prompt_tokens":-1}}']
)
def test_chunks_of_another_shape_pass_unread(payload: bytes) -> None:
    stream = ChatStream()
    assert stream.read(payload)
    assert stream.tokens is None
