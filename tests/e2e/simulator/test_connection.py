"""Bytes on the wire: framing, keep-alive, bad HTTP, faults that no client library lets through."""

import asyncio
import json

import pytest

from clavero.adapters.clock import SystemClock
from clavero.simulator import Simulator, SimulatorSettings, serve

CHAT: dict[str, object] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}


def post(body: dict[str, object] | bytes, path: str = "/v1/chat/completions", *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


async def talk(simulator: Simulator, *sent: bytes, until_close: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    try:
        for data in sent:
            writer.write(data)
            await asyncio.sleep(0)
        if until_close:
            return await asyncio.wait_for(reader.read(), 5)
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_requests_sent_ahead_are_answered_in_turn(simulator: Simulator) -> None:
    last = post(CHAT | {"model": "gpt-nope"}, "/v1/chat/completions", "Connection: close")
    told = await talk(simulator, post(CHAT | {"stream": True}) + post(CHAT) + last, until_close=True)
    assert [told.index(mark) for mark in (b"[DONE]", b'"chat.completion"', b"404 Not Found")] == sorted(
        told.index(mark) for mark in (b"[DONE]", b'"chat.completion"', b"404 Not Found")
    )
    assert told.count(b"HTTP/1.1 200 OK") == 2


async def test_a_request_may_come_in_pieces(simulator: Simulator) -> None:
    data = post(CHAT, "/v1/chat/completions", "Connection: close")
    told = await talk(simulator, *(data[at : at + 7] for at in range(0, len(data), 7)), until_close=True)
    assert told.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", post(b"{}", "/", "X: " + "y" * 70_000), b"GET / HTTP/1.1\r\n \r\n"]
)
async def test_what_is_no_http_ends_the_connection(simulator: Simulator, sent: bytes) -> None:
    assert b"400 Bad Request" in await talk(simulator, sent, until_close=True)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"model":1}', b'{"model":"\xff"}', b"[" * 5000, b'{"a":NaN}'])
async def test_what_is_no_request_is_refused_in_json(simulator: Simulator, body: bytes) -> None:
    told = await talk(simulator, post(body, "/v1/chat/completions", "Connection: close"), until_close=True)
    head, _, document = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(document)["error"]["type"] == "invalid_request_error"


async def test_a_body_over_the_limit_ends_the_connection() -> None:
    settings = SimulatorSettings(first_token=0, token=0, body_bytes=1000)
    simulator = await serve(settings=settings, clock=SystemClock())
    assert b"400" in await talk(simulator, post(b"x" * 1001), until_close=True)
    await simulator.close()


async def test_a_client_that_asks_first_is_told_to_go_on(simulator: Simulator) -> None:
    assert await talk(simulator, post(CHAT, "/v1/chat/completions", "Expect: 100-continue")) == (
        b"HTTP/1.1 100 Continue\r\n\r\n"
    )


async def test_a_cut_stream_has_no_end_and_bills_what_was_sent(simulator: Simulator) -> None:
    told = await talk(simulator, post(CHAT | {"model": "gpt-4o+cut=3", "stream": True}), until_close=True)
    assert not told.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in told
    assert told.count(b'"delta":{"content":') == 3
    assert simulator.invoice.total.output == 3


async def test_a_cut_answer_is_shorter_than_it_claims(simulator: Simulator) -> None:
    told = await talk(simulator, post(CHAT | {"model": "gpt-4o+cut"}), until_close=True)
    head, _, body = told.partition(b"\r\n\r\n")
    claimed = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < claimed


async def test_a_reset_says_nothing_at_all(simulator: Simulator) -> None:
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await talk(simulator, post(CHAT | {"model": "gpt-4o+reset"}))
    assert simulator.invoice.total.calls == 0


@pytest.mark.parametrize("fault", ["silence", "late=60"])
async def test_silence_lasts_until_the_caller_goes(simulator: Simulator, fault: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await talk(simulator, post(CHAT | {"model": f"gpt-4o+{fault}"}))


async def test_one_event_is_no_json_and_the_stream_goes_on(simulator: Simulator) -> None:
    sent = post(CHAT | {"model": "gpt-4o+malformed_chunk", "stream": True}, "/v1/chat/completions", "Connection: close")
    told = await talk(simulator, sent, until_close=True)
    assert b'{"cont\n\n' in told
    assert b"[DONE]" in told


async def test_the_last_event_can_be_missing(simulator: Simulator) -> None:
    sent = post(CHAT | {"model": "gpt-4o+no_done", "stream": True}, "/v1/chat/completions", "Connection: close")
    told = await talk(simulator, sent, until_close=True)
    assert b"[DONE]" not in told
    assert told.endswith(b"0\r\n\r\n")


async def test_a_caller_who_leaves_a_stream_is_billed_what_was_played() -> None:
    simulator = await serve(settings=SimulatorSettings(first_token=0, token=30), clock=SystemClock())
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(post(CHAT | {"stream": True}))
    await reader.readuntil(b'"delta":{"content":')
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while not simulator.invoice.left:  # noqa: ASYNC110 - the other end's loss of a connection has no event
            await asyncio.sleep(0.005)
    assert simulator.invoice.total.output == 1
    await simulator.close()


async def test_a_slow_reader_holds_the_stream_back() -> None:
    simulator = await serve(
        settings=SimulatorSettings(first_token=0, token=0, answer_tokens=16_000), clock=SystemClock()
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port, limit=1024)
    writer.write(post(CHAT | {"stream": True}, "/v1/chat/completions", "Connection: close"))
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.5)
    assert simulator.invoice.total.calls == 0
    told = await asyncio.wait_for(reader.read(), 20)
    assert told.endswith(b"0\r\n\r\n")
    assert simulator.invoice.total.output == 16_000
    writer.close()
    await writer.wait_closed()
    await simulator.close()
