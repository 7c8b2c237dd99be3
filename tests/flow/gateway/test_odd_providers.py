"""Providers that do not keep to their format: nothing of ours breaks, nothing hangs, every exchange has its row."""

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, chat, open_house

from clavero.domain.credentials import ProviderKind
from clavero.testing.faults import (
    EVENTS,
    JSON,
    Fault,
    answer,
    chunked,
    cut_body,
    extra,
    hang_up,
    head,
    interim,
    malformed,
    no_length,
    raw,
    serve_faults,
    slow_head,
    stream,
    switching,
)

GOOD = {
    "id": "c1",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}
ODD: list[Any] = [
    5, "text", None, [], [1], {"choices": 5}, {"choices": [5]}, {"choices": [{"delta": 5}]},
    {"choices": [{"delta": {"content": {"a": 1}}}]}, {"choices": [{"delta": {"tool_calls": [{"function": 3}]}}]},
    {"choices": [{"index": "x", "delta": {"tool_calls": [{"index": -1, "id": 7}]}}]}, {"usage": "none"},
    {"usage": {"prompt_tokens": -5, "completion_tokens": 10**40}}, {"error": 5}, {"error": {"message": {}}},
    {"type": 5}, {"type": "message_start"}, {"type": "message_start", "message": 5},
    {"type": "content_block_delta", "index": 99, "delta": {"type": "text_delta", "text": "x"}},
    {"type": "content_block_start", "index": "a", "content_block": []}, {"type": "message_delta", "delta": None},
    {"type": "response.output_text.delta", "delta": 5}, {"type": "response.completed", "response": []},
]  # fmt: skip
ASKS = {
    "chat": ("/v1/chat/completions", chat("own/gpt-4o-mini", stream=True)),
    "messages": ("/v1/messages", {"model": "own/gpt-4o-mini", "messages": HI, "max_tokens": 30, "stream": True}),
    "responses": ("/v1/responses", {"model": "own/gpt-4o-mini", "input": "x", "stream": True}),
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that asks once."""
    async with open_house(tmp_path / "data", upstream__attempts=1) as house:
        yield house
    assert not [line for line in house.logged if line.startswith("failure")]


def event(tree: Any) -> bytes:
    name = tree.get("type") if isinstance(tree, dict) else None
    named = f"event: {name}\n" if isinstance(name, str) else ""
    return named.encode() + b"data: " + json.dumps(tree).encode() + b"\n\n"


@pytest.mark.parametrize("kind", [ProviderKind.OPENAI_LIKE, ProviderKind.ANTHROPIC, ProviderKind.SIMULATED])
@pytest.mark.parametrize("asked", ASKS)
async def test_events_of_no_known_shape_break_nothing(house: House, kind: ProviderKind, asked: str) -> None:
    path, body = ASKS[asked]
    begun = event({"choices": [{"index": 0, "delta": {"content": "Hi"}}]})
    async with serve_faults(raw(b"")) as server:
        await house.provider("own", server.origin, ["none"], kind)
        key = await house.key()
        count = 0
        for odd, start in itertools.product(ODD, (b"", begun)):
            server.then(stream(start + event(odd), b"data: {not json\n\n", b"data: [DONE]\n\n"))
            said = await house.post(path, body, key)
            count += 1
            assert said.status in {200, 400, 401, 404, 429, 502}, (odd, said.text)
            assert said.clean, odd
            assert "not json" not in said.text
        for odd in ODD:
            server.then(answer(json.dumps(odd).encode()))
            said = await house.post(path, body | {"stream": False}, key)
            count += 1
            assert said.status in {200, 502}, (odd, said.text)
    rows = await house.rows()
    house.check(rows)
    assert len([row for row in rows if row["final"]]) == count
    assert all(row["cost_n"] < 10**9 for row in rows)


BODY = json.dumps(GOOD).encode()


@pytest.mark.parametrize(
    ("fault", "good"),
    [
        (answer(BODY), True),
        (interim(103, BODY), True),
        (no_length(BODY), True),
        (slow_head(0.001, BODY), True),
        (extra(BODY, b"HTTP/1.1 200 OK\r\n\r\n"), True),
        (hang_up(), False),
        (malformed(), False),
        (switching(), False),
        (cut_body(BODY[:40], len(BODY)), False),
        (raw(head(200, [JSON, ("content-encoding", "gzip"), ("content-length", "3")]) + b"\x1f\x8b\x08"), False),
        (answer(b""), False),
        (answer(b"<html>busy</html>"), False),
        (answer(b"\xff\xfe"), False),
        (answer(b"[" * 50_000), False),
        (answer(b"", 204), False),
        (answer(b"", 301, [("location", "http://169.254.169.254/")]), False),
        (answer(b"", 500), False),
    ],
    ids=lambda value: None if callable(value) else str(value),
)
async def test_every_way_to_answer_badly_is_an_upstream_error(house: House, fault: Fault, *, good: bool) -> None:
    async with serve_faults(fault) as server:
        await house.provider("own", server.origin, ["none"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/chat/completions", chat("own/gpt-4o-mini"), await house.key())
        assert said.clean
        if good:
            assert (said.status, said.tree["usage"]["total_tokens"]) == (200, 10)
        else:
            assert said.status in {400, 502}
            assert said.code in {"upstream_error", "upstream_refused"}
        assert len(server.asked) == 1
    row = await house.last()
    assert row["outcome"] == ("ok" if good else "failed")


async def test_a_stream_torn_at_every_place_reads_the_same(house: House) -> None:
    events = event({"choices": [{"index": 0, "delta": {"content": "Héllo"}}]}) + event(
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    )
    whole = events + b"data: [DONE]\n\n"

    async def drip(turn: Any) -> bool:
        await turn.write(head(200, [EVENTS, ("transfer-encoding", "chunked")]))
        for byte in whole:
            await turn.write(chunked(bytes([byte])))
        await turn.write(b"0\r\n\r\n")
        return True

    async with serve_faults(drip) as server:
        await house.provider("own", server.origin, ["none"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/chat/completions", chat("own/gpt-4o-mini", stream=True), await house.key())
    assert said.words == "Héllo"
    assert said.text.endswith("data: [DONE]\n\n")
    assert "usage" not in said.text
    row = await house.last()
    assert (row["input"], row["output"], row["outcome"]) == (9, 1, "ok")


async def test_a_slow_reader_holds_the_provider_back_and_loses_nothing(house: House) -> None:
    """36 megabytes, more than kernels keep on both sides, to a caller that does not read: the gateway keeps little of it."""
    piece = event({"choices": [{"index": 0, "delta": {"content": "x" * 60_000}}]})
    written = 0

    async def flood(turn: Any) -> bool:
        nonlocal written
        await turn.write(head(200, [EVENTS, ("transfer-encoding", "chunked")]))
        for _ in range(600):
            await turn.write(chunked(piece))
            written += len(piece)
        await turn.write(chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        return True

    async with serve_faults(flood) as server:
        await house.provider("own", server.origin, ["none"], ProviderKind.OPENAI_LIKE)
        house.plugs.deadlines = type(house.plugs.deadlines)(1.0, 5.0, 5.0, 200.0)
        call = await house.begin("/v1/chat/completions", chat("own/gpt-4o-mini", stream=True), await house.key())
        call._reader._transport.pause_reading()  # type: ignore[attr-defined] # the only way not to read
        before = -1
        while written != before:
            before = written
            await house.until_quiet()
        assert written < 600 * len(piece)
        call._reader._transport.resume_reading()  # type: ignore[attr-defined] # the only way to read again
        said = await call.end()
    assert said.clean
    assert len(said.words) == 600 * 60_000
    assert (await house.last())["outcome"] == "ok"


def _calling(arguments: str, finish: str) -> bytes:
    calls = [
        {"id": f"c{number}", "type": "function", "function": {"name": "weather", "arguments": text}}
        for number, text in enumerate(('{"city": "Lima"}', arguments))
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return json.dumps(GOOD | {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}).encode()


async def test_a_call_that_the_cap_cut_off_is_left_out_of_a_message(house: House) -> None:
    async with serve_faults(answer(_calling('{"ci', "length"))) as server:
        await house.provider("own", server.origin, ["gpt-*"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/messages", ASKS["messages"][1] | {"stream": False}, await house.key())
    assert said.status == 200
    assert [(block["type"], block["input"]) for block in json.loads(said.body)["content"]] == [
        ("tool_use", {"city": "Lima"})
    ]
    assert json.loads(said.body)["stop_reason"] == "max_tokens"
    (row,) = await house.rows()
    assert (row["input"], row["output"], row["code"]) == (9, 1, "")


async def test_an_answer_that_cannot_be_told_on_is_the_providers_fault_and_still_paid(house: House) -> None:
    async with serve_faults(answer(_calling("no object", "tool_calls"))) as server:
        await house.provider("own", server.origin, ["gpt-*"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/messages", ASKS["messages"][1] | {"stream": False}, await house.key())
    assert (said.status, json.loads(said.body)["error"]["type"]) == (502, "api_error")
    leg, last = await house.rows()
    assert (leg["input"], leg["output"], leg["estimated"], leg["code"]) == (9, 1, 0, "upstream_error")
    assert leg["cost_n"] > 0
    assert (last["final"], last["cost_n"]) == (1, 0)
