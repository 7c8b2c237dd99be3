"""The same question put directly and through the gateway; and a real server that refuses, dies, stalls and returns."""

import http.client
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.e2e.model.house import CHAT, House
from tests.e2e.running import wait_for

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
OURS = ("id", "created", "timings")  # another one each time, or a measurement
SAID = [{"role": "user", "content": "Say hello in five words."}]
PARTS = [{"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "you"}]}]
ODD = [
    {"role": "system", "content": ""},
    {"role": "user", "content": 'ñandú, 日本, 🎉, \u0000?, \u2028 and a \\ "quote"\r\n\tend'},
    {"role": "assistant", "content": None},
    {"role": "user", "content": ""},
]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
LEGAL: dict[str, dict[str, Any]] = {
    "plain": {},
    "a stop sequence": {"stop": ["e", "\n"]},
    "one stop": {"stop": "o"},
    "log probabilities": {"logprobs": True, "top_logprobs": 3},
    "two answers": {"n": 2},
    "any JSON": {"response_format": {"type": "json_object"}},
    "text": {"response_format": {"type": "text"}},
    "parts": {"messages": PARTS},
    "odd letters and empty contents": {"messages": ODD},
    "members that nobody knows": {"cache_prompt": False, "x_unheard_of": {"deep": [1, 2.50, None, 10**20]}},
    "nulls": {"stop": None, "tools": None, "user": None, "response_format": None, "stream_options": None},
    "a bias": {"logit_bias": {"1": -100}},
    "penalties": {"presence_penalty": 0.5, "frequency_penalty": -0.5, "top_p": 0.9},
    "a tool that need not be used": {"tools": [TOOL], "tool_choice": "auto"},
    "the newer cap": {"max_tokens": None, "max_completion_tokens": 6},
}


def question(more: dict[str, Any]) -> dict[str, Any]:
    body = {"model": CHAT, "messages": SAID, "temperature": 0, "seed": 11, "max_tokens": 6} | more
    return {name: value for name, value in body.items() if value is not None or name != "max_tokens"}


@pytest.mark.parametrize("name", list(LEGAL))
@pytest.mark.requirement(22)
def test_an_answer_is_the_one_that_a_direct_call_gets(house: House, name: str) -> None:
    body = question(LEGAL[name])
    direct, ours = house.chat.post("/v1/chat/completions", body), house.post("/v1/chat/completions", body)
    assert (ours.status, direct.status) == (200, 200), ours.body
    assert list(ours.json) == list(direct.json), "the members and their order"
    assert _same(ours.json) == _same(direct.json)


@pytest.mark.parametrize("options", [None, {"include_usage": True}, {"include_usage": False}, {}])
def test_a_stream_is_the_one_that_a_direct_call_gets(house: House, options: dict[str, bool] | None) -> None:
    body = question({"stream": True} | ({} if options is None else {"stream_options": options}))
    direct, ours = house.chat.post("/v1/chat/completions", body), house.post("/v1/chat/completions", body)
    assert ours.headers["content-type"].startswith("text/event-stream")
    assert [_same(chunk) for chunk in _chunks(ours.body)] == [_same(chunk) for chunk in _chunks(direct.body)]
    assert any(chunk.get("usage") for chunk in _chunks(ours.body)) is bool(options and options.get("include_usage"))


class TestRefusals:
    """What the server refuses is told in the dialect of the caller, and costs nothing."""

    LONG = "word " * 3000

    def test_a_prompt_that_is_too_long_in_a_stream(self, house: House) -> None:
        body = question({"stream": True, "messages": [{"role": "user", "content": self.LONG}]})
        answer = house.post("/v1/chat/completions", body)
        assert (answer.status, answer.json["error"]["code"]) == (400, "context_length_exceeded")
        message = {"model": CHAT, "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": self.LONG}]}
        answer = house.post("/v1/messages", message)
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")

    def test_an_unknown_model_never_reaches_the_server(self, house: House) -> None:
        answer = house.post("/v1/chat/completions", question({"model": "gemma-chad"}))
        assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")
        assert CHAT in answer.json["error"]["message"]

    def test_what_the_server_has_not_built_is_refused_at_once(self, house: House) -> None:
        answer = house.post("/v1/embeddings", {"model": CHAT, "input": "x"})
        assert answer.status == 400, answer.body
        assert "does not support embeddings" in answer.json["error"]["message"]
        assert len(house.record(answer.headers["x-request-id"])["attempts"]) == 1, "it would say so for ever"

    def test_a_grammar_that_cannot_be_is_the_callers_fault(self, house: House) -> None:
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nonsense"}}}
        answer = house.post("/v1/chat/completions", question({"response_format": form}))
        assert 400 <= answer.status < 500, answer.body
        assert house.record(answer.headers["x-request-id"])["cost_nano_usd"] == 0


class TestLoss:
    """The server dies, stalls, and comes back."""

    def test_killed_in_the_middle_of_a_stream_it_ends_with_an_error_and_is_found_again(self, house: House) -> None:
        with _open(house) as answer:
            read = answer.read1(65536)
            house.chat.kill()
            read += b"".join(iter(lambda: answer.read1(65536), b""))
            request = answer.headers["x-request-id"]
        try:
            assert b"[DONE]" not in read
            assert b"stream_interrupted" in read
            record = house.record(request)
            assert (record["outcome"], record["flag"]) == ("partial", "partial")
            assert record["tokens"]["output"] > 0
            gone = house.post("/v1/chat/completions", question({}))
            assert (gone.status, gone.json["error"]["code"]) == (502, "upstream_error")
            assert house.record(gone.headers["x-request-id"])["cost_nano_usd"] == 0, "nothing was sent"
            claude = house.post("/v1/messages", {"model": CHAT, "max_tokens": 4, "messages": SAID})
            assert (claude.status, claude.json["error"]["type"]) == (502, "api_error")
        finally:
            house.chat.start()
        assert house.post("/v1/chat/completions", question({})).status == 200

    def test_a_server_that_stalls_in_a_stream_is_given_up_on(self, house: House) -> None:
        assert house.chat.process is not None
        with _open(house) as answer:
            read = answer.read1(65536)
            house.chat.process.send_signal(signal.SIGSTOP)
            try:
                read += b"".join(iter(lambda: answer.read1(65536), b""))
            finally:
                house.chat.process.send_signal(signal.SIGCONT)
        assert b"upstream_timeout" in read
        assert b"[DONE]" not in read
        wait_for(lambda: not house.chat.busy(), 30)
        assert house.post("/v1/chat/completions", question({})).status == 200


@contextmanager
def _open(house: House) -> Iterator[http.client.HTTPResponse]:
    body = question({"stream": True, "max_tokens": 1500, "logit_bias": {"1": -100, "106": -100}})
    connection = http.client.HTTPConnection(house.running.gateway.removeprefix("http://"), timeout=120)
    headers = {"authorization": f"Bearer {house.key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def _same(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in OURS}


def _chunks(body: bytes) -> list[dict[str, Any]]:
    events = [event.removeprefix(b"data: ") for event in body.split(b"\n\n") if event]
    assert events[-1] == b"[DONE]"
    return [json.loads(event) for event in events[:-1]]
