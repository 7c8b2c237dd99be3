"""Answers good and bad, over a real socket: what is pushed, and whether the connection is used again."""

import asyncio

import pytest
from tests.flow.adapters.upstreams.rig import ASK, Rig, until

from clavero.domain.calls import BadAnswer, ConnectionLost, Silent
from clavero.ports.upstreams import Deadlines
from clavero.testing.faults import (
    Fault,
    answer,
    cut_body,
    extra,
    hang_up,
    head,
    interim,
    malformed,
    no_length,
    overloaded,
    raw,
    reset,
    serve_faults,
    silence,
    slow_head,
    stall,
    stream,
    switching,
)

CHUNKED = head(200, [("transfer-encoding", "chunked")])

GOOD: dict[str, tuple[Fault, bytes, bool]] = {  # the answer, its body, whether the connection is used again
    "with-length": (answer(b"{}"), b"{}", True),
    "empty": (answer(b""), b"", True),
    "no-content": (raw(b"HTTP/1.1 204 No Content\r\n\r\n", keep=True), b"", True),
    "chunks": (stream(b"a", b"bc"), b"abc", True),
    "continue-first": (interim(100), b"{}", True),
    "early-hints-first": (interim(103), b"{}", True),
    "slow-head": (slow_head(0.001), b"{}", True),
    "refusal": (overloaded(), b'{"error":{"message":"overloaded"}}', True),
    "trailers": (raw(CHUNKED + b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", keep=True), b"a", True),
    "chunk-extension": (raw(CHUNKED + b"1;x=y\r\na\r\n0\r\n\r\n", keep=True), b"a", True),
    "no-length": (no_length(b"to the end"), b"to the end", False),
    "connection-close": (
        raw(head(200, [("content-length", "1"), ("connection", "close")]) + b"a", keep=True),
        b"a",
        False,
    ),
    "http-1.0": (raw(b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na", keep=True), b"a", False),
    "extra-bytes": (extra(b"{}", b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"), b"{}", False),
    "extra-rubbish": (extra(b"{}", b"rubbish"), b"{}", False),
}


@pytest.mark.parametrize("row", GOOD.values(), ids=GOOD)
async def test_a_whole_answer_is_pushed_once_and_its_connection_used_again_only_if_it_is_clean(
    rig: Rig, row: tuple[Fault, bytes, bool]
) -> None:
    fault, body, again = row
    async with serve_faults(fault, answer(b"next")) as server:
        heard = await rig.ask(server)
        assert heard.error is None
        assert heard.body == body
        assert heard.order[0] == "head"
        assert heard.order[-1] == "ended"
        assert (await rig.ask(server)).body == b"next"
        assert server.connections == (1 if again else 2)


BAD: dict[str, tuple[Fault, type[Exception], bytes]] = {
    "reset": (reset(), ConnectionLost, b""),
    "hang-up": (hang_up(), ConnectionLost, b""),
    "half-a-head": (raw(b"HTTP/1.1 200 OK\r\ncontent-"), ConnectionLost, b""),
    "cut-body": (cut_body(b"half", 8), ConnectionLost, b"half"),
    "cut-stream": (stream(b"a", b"b", end=False), ConnectionLost, b"ab"),
    "malformed": (malformed(), BadAnswer, b""),
    "switching": (switching(), BadAnswer, b""),
    "bad-chunk": (raw(CHUNKED + b"1\r\na\r\nzz\r\n", keep=True), BadAnswer, b"a"),
    "length-and-chunks": (raw(CHUNKED[:-2] + b"content-length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n"), BadAnswer, b""),
    "two-lengths": (raw(head(200, [("content-length", "1"), ("content-length", "2")]) + b"a"), BadAnswer, b""),
    "gzip-coding": (raw(head(200, [("transfer-encoding", "gzip")]) + b"abc", keep=True), BadAnswer, b""),
    "endless-head": (raw(b"HTTP/1.1 200 OK\r\na: " + b"b" * 400_000, keep=True), BadAnswer, b""),
    "many-fields": (raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300, keep=True), BadAnswer, b""),
    "endless-interim": (raw(b"HTTP/1.1 103 Early\r\na: b\r\n\r\n" * 20_000, keep=True), BadAnswer, b""),
    "endless-trailer": (raw(CHUNKED + b"1\r\na\r\n0\r\nx: " + b"y" * 600_000, keep=True), BadAnswer, b"a"),
    "endless-extension": (raw(CHUNKED + b"1\r\na\r\n1;" + b"y" * 600_000, keep=True), BadAnswer, b"a"),
}


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
async def test_a_broken_answer_is_a_failure_after_what_came_and_its_connection_is_never_used_again(
    rig: Rig, row: tuple[Fault, type[Exception], bytes]
) -> None:
    fault, kind, body = row
    async with serve_faults(fault, answer(b"next")) as server:
        heard = await rig.ask(server)
        assert type(heard.error) is kind
        assert heard.body == body
        assert heard.order.count("failed") == 1
        assert (await rig.ask(server)).body == b"next"
        assert server.connections == 2
        assert len(server.asked) == 2


async def test_a_head_is_understood_with_lower_case_names_the_last_of_a_repeated_one_winning(rig: Rig) -> None:
    fields = [("Retry-After", "2"), ("X-ODD", "a"), ("x-odd", "b"), ("content-length", "0")]
    async with serve_faults(raw(head(429, fields), keep=True)) as server:
        heard = await rig.ask(server)
    assert heard.top is not None
    assert heard.top.status == 429
    assert heard.top.headers == {"retry-after": "2", "x-odd": "b", "content-length": "0"}


async def test_what_one_read_yields_is_pushed_once(rig: Rig) -> None:
    together = b"".join(b"2\r\nab\r\n" for _ in range(50))
    async with serve_faults(raw(CHUNKED + together + b"0\r\n\r\n", keep=True)) as server:
        heard = await rig.ask(server)
    assert heard.body == b"ab" * 50
    assert heard.order == ["head", "data", "ended"]


async def test_bytes_that_come_while_nobody_asks_end_the_connection(rig: Rig) -> None:
    async with serve_faults(extra(b"{}", b"more", later=0.02), answer(b"next")) as server:
        await rig.ask(server)
        await until(lambda: not rig.pool.connections)
        assert (await rig.ask(server)).body == b"next"
        assert server.connections == 2


@pytest.mark.parametrize("moment", ["head", "data"])
async def test_an_abort_from_within_the_taker_ends_it_there(rig: Rig, moment: str) -> None:
    async with serve_faults(stream(b"a", b"b"), answer(b"next")) as server:
        heard = rig.send(server, abort_at=moment)
        await until(lambda: not rig.pool.connections and heard.any.is_set())
        assert heard.order[-1] == moment
        assert (await rig.ask(server)).body == b"next"
        assert server.connections == 2


async def test_an_abort_closes_the_connection_and_the_taker_hears_nothing_more(rig: Rig) -> None:
    async with serve_faults(stall(b"a")) as server:
        heard = rig.send(server)
        await heard.something()
        assert heard.line is not None
        heard.line.abort()
        await until(lambda: not rig.pool.connections)
        assert heard.order in (["head", "data"], ["head"])


async def test_a_paused_call_is_not_read_is_not_silent_and_goes_on_when_resumed(rig: Rig) -> None:
    chunks = [b"x" * 65536] * 200
    async with serve_faults(stream(*chunks)) as server:
        heard = rig.send(server)
        await heard.something()
        assert heard.line is not None
        heard.line.pause()
        await asyncio.sleep(0.1)
        stood = len(heard.body)
        await asyncio.sleep(0.1)
        assert len(heard.body) == stood < 65536 * 200
        rig.pass_time(100)
        assert heard.error is None
        heard.line.resume()
        assert len((await heard.end()).body) == 65536 * 200


async def test_data_that_comes_behind_a_pause_does_not_start_the_clock_again(rig: Rig) -> None:
    async with serve_faults(raw(CHUNKED + b"1\r\na\r\n", keep=True)) as server:
        heard = rig.send(server)
        heard.pause_at = "head"
        await until(lambda: heard.pieces)
        rig.pass_time(100)
        assert not heard.over.is_set()


async def test_silence_before_the_first_byte_is_a_failure_after_its_time_and_not_before(rig: Rig) -> None:
    async with serve_faults(silence()) as server:
        heard = rig.send(server)
        await until(lambda: server.asked)
        rig.pass_time(29)
        assert not heard.over.is_set()
        rig.pass_time(1.1)
        assert isinstance(heard.error, Silent)
        assert str(heard.error) == "no first byte within 30 s"


async def test_a_head_alone_is_not_the_first_byte(rig: Rig) -> None:
    async with serve_faults(stall()) as server:
        heard = rig.send(server, deadlines=Deadlines(first_byte=10, idle=50))
        await heard.something()
        rig.pass_time(10.1)
        assert str(heard.error) == "no first byte within 10 s"


async def test_silence_in_mid_stream_is_a_failure_after_its_time_from_the_last_byte(rig: Rig) -> None:
    async with serve_faults(stall(b"a")) as server:
        heard = rig.send(server, deadlines=Deadlines(first_byte=10, idle=50))
        await until(lambda: heard.pieces)
        rig.pass_time(49)
        assert heard.error is None
        rig.pass_time(1.1)
        assert str(heard.error) == "nothing came for 50 s"
        assert heard.body == b"a"


async def test_a_call_ends_after_its_total_time_paused_or_not(rig: Rig) -> None:
    async with serve_faults(stall(b"a")) as server:
        heard = rig.send(server, deadlines=Deadlines(idle=50, total=60))
        await until(lambda: heard.pieces)
        assert heard.line is not None
        heard.line.pause()
        rig.pass_time(59)
        assert heard.error is None
        rig.pass_time(1.1)
        assert str(heard.error) == "no end within 60 s"


async def test_the_request_arrives_as_it_was_given(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        await rig.ask(server)
        asked = server.asked[0]
    assert (asked.method, asked.target, asked.body) == (ASK.method, ASK.target, ASK.body)
    assert asked.headers == {
        "host": f"127.0.0.1:{server.port}",
        "content-type": "application/json",
        "content-length": "7",
    }
