"""The door before the handshake: who may come in, how long a handshake may take, and what plain HTTP is told."""

import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.flow.entrypoints.http.door import elsewhere
from tests.pairs import Made, make

from clavero.adapters.clock import SystemClock
from clavero.domain.forwarded import Proxies, read_proxies
from clavero.entrypoints.certificates import Files, Served, read_pair
from clavero.entrypoints.http.listener import Entry, Listener, admits

HELLO = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhttps"


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream's

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Post:
    """A listener that says back what it hears, and what it missed."""

    def __init__(self, folder: Path) -> None:
        self.made = make(folder)
        files = Files(str(self.made.cert), str(self.made.key))
        self.served = Served(read_pair(files), files, SystemClock())
        self.missed: list[str] = []
        self.listeners: list[Listener] = []
        self.port = 0

    def listen(
        self, *, tls: bool = True, proxies: Proxies | None = None, seconds: float = 5.0, each: int = 128
    ) -> Listener:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        self.port = sock.getsockname()[1]
        entry = Entry(
            make=Echo, missed=lambda code, _address: self.missed.append(code), proxies=proxies or Proxies(),
            tls=self.served.context if tls else None, in_the_clear=HELLO, handshake_seconds=seconds, most_each=each,
        )  # fmt: skip
        self.listeners.append(Listener(sock, entry))
        return self.listeners[-1]

    async def talk(self, *, tls: bool = True) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = trusting(self.made) if tls else None
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context)

    async def said(self, data: bytes) -> bytes:
        """What comes back over plain TCP, to the end."""
        reader, writer = await self.talk(tls=False)
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(reader.read(), 5)
        return b""


def trusting(made: Made) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(made.cert))


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    post = Post(tmp_path)
    yield post
    for listener in post.listeners:
        listener.close()
        await listener.wait_closed()
        assert listener.waiting == 0


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - whatever it is
            await asyncio.sleep(0.01)


async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"x" * 5)
    return await asyncio.wait_for(reader.readexactly(5), 5) == b"x" * 5


@pytest.mark.parametrize("tls", [True, False])
async def test_who_comes_properly_is_let_in(post: Post, *, tls: bool) -> None:
    listener = post.listen(tls=tls)
    callers = [await post.talk(tls=tls) for _ in range(5)]
    assert all([await echoes(*caller) for caller in callers])
    assert listener.waiting == 0
    assert not post.missed
    for _, writer in callers:
        writer.close()


async def test_plain_http_on_a_port_of_tls_reads_what_to_do(post: Post) -> None:
    post.listen()
    assert await post.said(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 100_000) == HELLO
    assert post.missed == ["tls_required"]


@pytest.mark.parametrize("noise", [b"\x00" * 40, b"\x80\x2e\x01\x00\x02", b"\x16\x03\x01\x00\x05hello", b"\xff"])
async def test_noise_is_let_go_and_counted(post: Post, noise: bytes) -> None:
    listener = post.listen()
    assert HELLO not in await post.said(noise)
    await until(lambda: post.missed == ["tls_handshake_failed"] and not listener.waiting)


@pytest.mark.parametrize("begun", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "a byte", "half a hello"])
async def test_a_handshake_that_does_not_end_is_ended(post: Post, begun: bytes) -> None:
    listener = post.listen(seconds=0.2)
    reader, writer = await post.talk(tls=False)
    writer.write(begun)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) in {b"", reader}
    await until(lambda: not listener.waiting)
    assert post.missed == ["tls_handshake_failed"]
    writer.close()


async def test_a_byte_now_and_then_does_not_buy_time(post: Post) -> None:
    listener = post.listen(seconds=0.3)
    _, writer = await post.talk(tls=False)
    writer.write(b"\x16")
    for _ in range(100):
        await asyncio.sleep(0.05)
        if post.missed:
            break
        writer.write(b"\x03")
    assert post.missed == ["tls_handshake_failed"]
    await until(lambda: not listener.waiting)
    writer.close()


async def test_one_address_may_have_so_many_handshakes_under_way_and_others_are_not_kept_out(post: Post) -> None:
    listener = post.listen(each=3)
    silent = [await post.talk(tls=False) for _ in range(3)]
    await until(lambda: listener.waiting == 3)
    assert await post.said(b"") == b""
    assert post.missed == ["too_many_handshakes"]
    for _, writer in silent:
        writer.close()
    await until(lambda: not listener.waiting)
    assert await echoes(*(await post.talk()))


async def test_a_client_that_refuses_our_certificate_is_counted(post: Post) -> None:
    post.listen()
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection("127.0.0.1", post.port, ssl=ssl.create_default_context())
    await until(lambda: post.missed)


async def test_a_client_of_old_tls_is_not_spoken_with(post: Post) -> None:
    post.listen()
    old = trusting(post.made)
    with warnings.catch_warnings(action="ignore"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection("127.0.0.1", post.port, ssl=old)


async def test_where_proxies_are_named_others_are_let_go_at_once() -> None:
    proxies = read_proxies("10.0.0.0/8")
    assert admits(proxies, "10.0.0.7", "192.0.2.1")
    assert admits(proxies, "127.0.0.1", "127.0.0.1")
    assert admits(proxies, "192.0.2.1", "192.0.2.1")
    assert not admits(proxies, "203.0.113.7", "192.0.2.1")
    assert admits(Proxies(), "203.0.113.7", "192.0.2.1")


async def test_the_pair_changes_for_new_handshakes_and_for_nobody_else(post: Post) -> None:
    post.listen()
    old_trust = trusting(post.made)
    old = await asyncio.open_connection("127.0.0.1", post.port, ssl=old_trust)
    post.made = make(post.made.cert.parent, kind="rsa")
    assert post.served.reload()
    assert await echoes(*old)
    assert await echoes(*(await post.talk()))
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection("127.0.0.1", post.port, ssl=old_trust)
    old[1].close()


async def test_closing_lets_go_of_who_has_not_finished(post: Post) -> None:
    listener = post.listen()
    reader, writer = await post.talk(tls=False)
    await until(lambda: listener.waiting == 1)
    listener.close()
    await listener.wait_closed()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    with pytest.raises(OSError):
        await post.talk(tls=False)
    writer.close()


@pytest.mark.parametrize("tls", [True, False])
async def test_another_machine_that_is_no_proxy_costs_no_handshake(post: Post, *, tls: bool) -> None:
    listener = post.listen(tls=tls, proxies=read_proxies("10.99.0.0/16"))
    reader, writer = await asyncio.open_connection("127.0.0.1", post.port, local_addr=(elsewhere(), 0))
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert post.missed == ["peer_not_admitted"]
    assert listener.waiting == 0
    writer.close()
    assert await echoes(*(await post.talk(tls=tls)))
