"""The fault server misbehaves as told, seen by a plain socket."""

import asyncio
import ssl

import pytest
import trustme

from clavero.testing.faults import (
    Fault,
    answer,
    cut_body,
    extra,
    hang_up,
    interim,
    malformed,
    no_length,
    overloaded,
    reset,
    serve_faults,
    silence,
    slow_head,
    stall,
    stream,
    switching,
)

ASK = b"POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"

SEEN: dict[str, tuple[Fault, bytes, bytes, bool]] = {  # the behaviour; how the bytes begin and end; whether it goes on
    "answer": (answer(b"{}"), b"HTTP/1.1 200 ", b"\r\n\r\n{}", True),
    "overloaded": (overloaded("7"), b"HTTP/1.1 503 \r\ncontent-type: application/json\r\nretry-after: 7", b"}", True),
    "stream": (stream(b"a", b"b"), b"HTTP/1.1 200 ", b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", True),
    "cut-stream": (stream(b"a", end=False), b"HTTP/1.1 200 ", b"1\r\na\r\n", False),
    "cut-body": (cut_body(b"ab", 9), b"HTTP/1.1 200 ", b"content-length: 9\r\n\r\nab", False),
    "stall": (stall(b"a", seconds=9), b"HTTP/1.1 200 ", b"1\r\na\r\n", True),
    "silence": (silence(9), b"", b"", True),
    "slow-head": (slow_head(0.0001), b"HTTP/1.1 200 ", b"{}", True),
    "interim": (interim(103), b"HTTP/1.1 103 Interim", b"{}", True),
    "switching": (switching(), b"HTTP/1.1 101 ", b"\r\n\r\n", True),
    "extra": (extra(b"{}", b"more"), b"HTTP/1.1 200 ", b"{}more", True),
    "no-length": (no_length(b"end"), b"HTTP/1.1 200 ", b"json\r\n\r\nend", False),
    "malformed": (malformed(), b"220 mail", b"ESMTP\r\n", True),
    "hang-up": (hang_up(), b"", b"", False),
}


async def seen(port: int) -> tuple[bytes, bool]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ASK)
    got, goes_on = b"", False
    while True:
        try:
            data = await asyncio.wait_for(reader.read(65536), 0.15)
        except TimeoutError:
            goes_on = True
            break
        if not data:
            break
        got += data
    writer.close()
    await writer.wait_closed()
    return got, goes_on


@pytest.mark.parametrize("row", SEEN.values(), ids=SEEN)
async def test_it_behaves_as_told(row: tuple[Fault, bytes, bytes, bool]) -> None:
    fault, begin, end, goes_on = row
    async with serve_faults(fault) as server:
        got, still = await seen(server.port)
        assert got.startswith(begin)
        assert got.endswith(end)
        assert still is goes_on
        assert (server.asked[0].target, server.asked[0].body) == ("/v1", b"{}")


async def test_a_reset_is_a_reset() -> None:
    async with serve_faults(reset()) as server:
        with pytest.raises(ConnectionResetError):
            await seen(server.port)


async def test_behaviours_come_in_turn_and_the_last_one_stays_until_another_is_told() -> None:
    async with serve_faults(answer(b"1"), answer(b"2")) as server:
        assert [(await seen(server.port))[0][-1:] for _ in range(3)] == [b"1", b"2", b"2"]
        server.then(answer(b"3"))
        assert (await seen(server.port))[0].endswith(b"3")
        assert (server.connections, len(server.asked)) == (4, 4)


async def test_it_speaks_tls() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with serve_faults(answer(b"{}"), tls=context) as server:
        reader, writer = await asyncio.open_connection("localhost", server.port, ssl=trusting)
        writer.write(ASK)
        assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
        assert server.origin == f"https://localhost:{server.port}"
