"""A server on a free port, with its clock and its sweep in the test's hand, and raw bytes to throw at it."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest

from clavero.adapters.ticker import LoopTicker
from clavero.domain.errors import Problem
from clavero.domain.forwarded import Proxies
from clavero.entrypoints.http.edge import Inside, Limits
from clavero.entrypoints.http.server import Server
from clavero.ports.client import Client, Request
from clavero.testing.clock import StoppedClock

Headers = Sequence[tuple[str, str]]
Handler = Callable[[Request, Client], Awaitable[None]]

GET = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"


async def echo(request: Request, client: Client) -> None:
    """Say what was understood."""
    said = f"{request.method} {request.path} {len(request.body)}".encode()
    client.reply(200, [("content-type", "text/plain")], said)


class Door:
    """A running server and everything that came to it."""

    def __init__(self, handler: Handler = echo, limits: Limits | None = None, proxies: Proxies | None = None) -> None:
        self.clock = StoppedClock()
        self.ticker = LoopTicker(self.clock)
        self.requests: list[Request] = []
        self.problems: list[tuple[Problem, Request | None]] = []
        self.left: list[str] = []
        self.missed: list[str] = []
        self.port = 0
        self.handler = handler
        self._ids = 0
        self.server = Server(
            Inside(
                handler=self._handle,
                refuse=self._refuse,
                new_id=self._new_id,
                clock=self.clock,
                ticker=self.ticker,
                proxies=proxies or Proxies(),
                missed=lambda code, _address: self.missed.append(code),
            ),
            limits,
        )

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        self.port = sock.getsockname()[1]
        await self.server.start(sock, tls)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.ticker.sweep()

    async def connect(self) -> "Caller":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return Caller(reader, writer)

    async def say(self, *pieces: bytes) -> bytes:
        """Send these and give what comes back until the connection ends, or nothing more comes."""
        caller = await self.connect()
        try:
            for piece in pieces:
                caller.send(piece)
                await asyncio.sleep(0.01)
            return await caller.rest()
        finally:
            await caller.close()

    async def _handle(self, request: Request, client: Client) -> None:
        self.requests.append(request)
        try:
            await self.handler(request, client)
        except asyncio.CancelledError:
            self.left.append(request.id)
            raise

    def _refuse(self, problem: Problem, request: Request | None) -> tuple[int, Headers, bytes]:
        self.problems.append((problem, request))
        return 400, [("content-type", "text/plain")], problem.code.encode()

    def _new_id(self) -> str:
        self._ids += 1
        return f"req_{self._ids}"


class Caller:
    """One raw connection. `ended` is known after `rest`: the server closed it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.ended = False

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(end), 5)

    async def answer(self) -> tuple[bytes, bytes]:
        """The head and the body of one answer with a length."""
        head = await self.until(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return head, await asyncio.wait_for(self._reader.readexactly(length), 5)

    async def rest(self, patience: float = 0.1) -> bytes:
        """Everything until the end, or until nothing has come for so long."""
        got = b""
        while True:
            try:
                data = await asyncio.wait_for(self._reader.read(65536), patience)
            except TimeoutError:
                return got
            except ConnectionError:
                self.ended = True
                return got
            if not data:
                self.ended = True
                return got
            got += data

    async def gone(self) -> bytes:
        """Everything until the server ends the connection; fails where it does not."""
        got = await self.rest(5)
        assert self.ended
        return got

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def reset(self) -> None:
        self._writer.transport.abort()


def elsewhere() -> str:
    """An address of this machine that is not loopback: to who listens on loopback it looks like another machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(sock.getsockname()[0])
