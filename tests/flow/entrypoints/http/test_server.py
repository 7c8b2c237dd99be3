"""The life of a listener: what runs is finished, what idles is ended, what does not end is cut."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme
from tests.flow.entrypoints.http.door import GET, Caller, Door, echo

from clavero.ports.client import Client, Request

Opening = Callable[..., Awaitable[Door]]


async def test_a_stop_ends_idle_connections_at_once_and_takes_no_more(door: Door) -> None:
    caller, silent = await door.connect(), await door.connect()
    caller.send(GET)
    await caller.answer()
    await door.server.stop(30)
    assert await caller.gone() == b""
    assert await silent.gone() == b""
    with pytest.raises(OSError):
        await door.connect()
    await caller.close()
    await silent.close()


async def test_a_stop_lets_an_exchange_finish_and_says_that_the_connection_ends(opening: Opening) -> None:
    go = asyncio.Event()

    async def slow(request: Request, client: Client) -> None:
        await go.wait()
        await echo(request, client)

    door = await opening(slow)
    caller = await door.connect()
    caller.send(GET)
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(door.server.stop(30))
    await asyncio.sleep(0.05)
    assert not stopping.done()
    go.set()
    said = await caller.gone()
    await stopping
    await caller.close()
    assert b"connection: close\r\n" in said
    assert said.endswith(b"GET /v1/models 0")
    assert not door.left


async def test_a_stop_lets_a_request_that_is_coming_in_be_answered(door: Door) -> None:
    caller = await door.connect()
    caller.send(GET[:10])
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(door.server.stop(30))
    await asyncio.sleep(0.05)
    caller.send(GET[10:])
    assert (await caller.gone()).endswith(b"GET /v1/models 0")
    await stopping
    await caller.close()


async def test_what_has_not_ended_after_the_grace_is_cut_and_its_task_closes_its_books(opening: Opening) -> None:
    closed: list[bool] = []

    async def forever(request: Request, client: Client) -> None:
        client.start(200, [])
        client.write(b"a")
        try:
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    door = await opening(forever)
    caller = await door.connect()
    caller.send(GET)
    await caller.until(b"a\r\n")
    await door.server.stop(0.05)
    assert closed
    assert not (await caller.gone()).endswith(b"0\r\n\r\n")
    assert (door.server.connections, door.server.exchanges) == (0, 0)
    await caller.close()


async def test_a_stop_before_a_start_and_a_second_stop_do_nothing() -> None:
    door = Door()
    await door.server.stop(1)
    await door.open()
    await door.server.stop(1)
    await door.server.stop(1)
    assert door.server.connections == 0


async def test_it_speaks_tls_and_ends_a_refused_connection_there_too() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    door = Door()
    await door.open(context)
    reader, writer = await asyncio.open_connection("localhost", door.port, ssl=trusting)
    writer.write(GET)
    assert (await reader.readuntil(b"models 0")).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert b"missing_header" in await reader.readuntil(b"missing_header")
    door.pass_time(2.1)
    assert await reader.read() == b""
    await Caller(reader, writer).close()
    await door.server.stop(1)


async def test_the_date_of_answers_goes_with_the_clock(door: Door) -> None:
    door.clock.set_wall(784_111_777 * 10**9)
    door.pass_time(1.0)
    assert b"\r\ndate: Sun, 06 Nov 1994 08:49:38 GMT\r\n" in await door.say(GET)


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_is_framed_as_its_caller_can_read_it(
    opening: Opening, version: bytes, method: bytes, *, streamed: bool
) -> None:
    async def answer(request: Request, client: Client) -> None:
        if not streamed:
            client.reply(200, [], b"abcd")
            return
        client.start(200, [])
        client.write(b"ab")
        client.write(b"")
        client.write(b"cd")
        client.finish()

    door = await opening(answer)
    caller = await door.connect()
    caller.send(method + b" / HTTP/" + version + b"\r\nHost: x\r\n\r\n")
    said = await caller.rest()
    head, _, body = said.partition(b"\r\n\r\n")
    await caller.close()
    framed = b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n" if streamed and version == b"1.1" else b"abcd"
    assert body == (b"" if method == b"HEAD" else framed)
    assert (b"transfer-encoding: chunked" in head) is (streamed and version == b"1.1")
    assert (b"content-length: 4" in head) is not streamed
    assert (b"connection: close" in head) is caller.ended is (version == b"1.0")


async def test_a_cut_answer_can_be_told_from_a_whole_one_over_http_1_0_too(opening: Opening) -> None:
    async def cut(request: Request, client: Client) -> None:
        client.start(200, [])
        client.write(b"half")
        await asyncio.sleep(0.05)
        client.cut()

    door = await opening(cut)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    await Caller(reader, writer).close()
    assert not (await door.say(GET)).endswith(b"0\r\n\r\n")
    assert not door.left
