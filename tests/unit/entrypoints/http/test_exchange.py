import asyncio
from collections.abc import Callable

import pytest

from clavero.entrypoints.http.exchange import Exchange
from clavero.ports.client import Client, Request


class Written(asyncio.WriteTransport):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))


class FakeWire:
    def __init__(self) -> None:
        self.transport = Written()
        self.paused = False
        self.date = "Sun, 06 Nov 1994 08:49:37 GMT"
        self.stays = True
        self.ends: list[str] = []

    def answered(self, exchange: Exchange) -> None:
        self.ends.append("keep" if exchange.keep else "close")

    def broken(self, *, clean: bool) -> None:
        self.ends.append("cut" if clean else "reset")


@pytest.fixture
def wire() -> FakeWire:
    return FakeWire()


def exchange(wire: FakeWire, method: str = "POST", *, keep: bool = True, old: bool = False) -> Exchange:
    return Exchange(wire, Request("req_1", method, "/", {}, b"", "", 0, 0), keep=keep, old=old)


def stream(client: Client) -> None:
    client.start(200, [])
    client.write(b"a")
    client.finish()


def test_head_and_body_leave_in_one_write(wire: FakeWire) -> None:
    exchange(wire).reply(200, [], b"abc")
    assert len(wire.transport.writes) == 1
    assert wire.transport.writes[0].endswith(b"content-length: 3\r\n\r\nabc")
    assert wire.ends == ["keep"]


def test_a_large_body_is_not_copied_behind_its_head(wire: FakeWire) -> None:
    exchange(wire).reply(200, [], b"a" * 100_000)
    assert [len(write) > 99_999 for write in wire.transport.writes] == [False, True]


def test_the_first_chunk_carries_the_head(wire: FakeWire) -> None:
    client = exchange(wire)
    client.start(200, [])
    assert wire.transport.writes == []
    client.write(b"ab")
    client.write(b"c")
    client.finish()
    first, second, last = wire.transport.writes
    assert first.endswith(b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n")
    assert (second, last) == (b"1\r\nc\r\n", b"0\r\n\r\n")


def test_a_stream_without_a_chunk_is_whole(wire: FakeWire) -> None:
    client = exchange(wire)
    client.start(200, [])
    client.finish()
    assert len(wire.transport.writes) == 1
    assert wire.transport.writes[0].endswith(b"\r\n\r\n0\r\n\r\n")


def test_an_empty_chunk_is_none_because_it_would_end_the_answer(wire: FakeWire) -> None:
    client = exchange(wire)
    client.start(200, [])
    client.write(b"")
    assert wire.transport.writes == []


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_neither_body_nor_length(wire: FakeWire, status: int) -> None:
    exchange(wire).reply(status, [], b"abc")
    assert b"content-length" not in wire.transport.writes[0]
    assert wire.transport.writes[0].endswith(b"\r\n\r\n")


ENDS: dict[str, Callable[[Exchange], None]] = {
    "reply": lambda client: client.reply(200, [], b"a"),
    "stream": stream,
    "cut": lambda client: client.cut(),
    "leave": lambda client: client.leave(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_after_the_end_nothing_is_written_and_nothing_ends_again(
    wire: FakeWire, end: Callable[[Exchange], None]
) -> None:
    client = exchange(wire)
    end(client)
    writes, ends = list(wire.transport.writes), list(wire.ends)
    client.reply(500, [], b"again")
    client.start(500, [])
    client.write(b"again")
    client.finish()
    client.cut()
    assert (wire.transport.writes, wire.ends) == (writes, ends)
    assert client.ended


def test_status_and_head_are_decided_once(wire: FakeWire) -> None:
    client = exchange(wire)
    client.start(200, [])
    client.reply(500, [], b"late")
    client.start(500, [])
    client.write(b"a")
    assert wire.transport.writes[0].startswith(b"HTTP/1.1 200 OK")


def test_nothing_is_written_before_it_is_begun(wire: FakeWire) -> None:
    client = exchange(wire)
    client.write(b"a")
    client.finish()
    assert wire.transport.writes == []
    assert not client.opened


def test_a_cut_is_a_reset_only_where_a_plain_end_would_look_whole(wire: FakeWire) -> None:
    for old in (False, True):
        client = exchange(wire, old=old, keep=not old)
        client.start(200, [])
        client.write(b"a")
        client.cut()
    exchange(wire, old=True, keep=False).cut()
    assert wire.ends == ["cut", "reset", "cut"]


def test_a_draining_wire_is_not_kept_and_says_so(wire: FakeWire) -> None:
    wire.stays = False
    exchange(wire).reply(200, [], b"")
    assert b"connection: close\r\n" in wire.transport.writes[0]
    assert wire.ends == ["close"]


def test_flow_is_told_while_it_matters_and_at_once_if_the_caller_is_slow_already(wire: FakeWire) -> None:
    told: list[str] = []
    client = exchange(wire)
    client.flow(paused=True)
    wire.paused = True
    client.on_flow(lambda: told.append("pause"), lambda: told.append("resume"))
    client.flow(paused=False)
    client.flow(paused=True)
    client.reply(200, [], b"")
    client.flow(paused=False)
    assert told == ["pause", "resume", "pause"]
