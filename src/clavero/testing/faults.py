"""A provider that fails as told: one behaviour for each request, in turn, the last one for all that follow.

    async with serve_faults(reset(), answer(b"{}")) as server:
        pool.allow(server.origin, "loopback")

Behaviours write raw bytes, so that they can break what a server library would not let them break.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from clavero.testing.asked import Asked, read_request

Fault = Callable[["Turn"], Awaitable[bool]]  # True: the connection may carry another request

JSON = ("content-type", "application/json")
EVENTS = ("content-type", "text/event-stream")


class Turn:
    """One request and the way to answer it, well or badly."""

    def __init__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked = asked
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Send these bytes now."""
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        """End with a reset, not with an orderly end."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def shut(self) -> None:
        """End the TCP stream; over TLS that is an end that nobody vouched for."""
        with socket.socket(fileno=os.dup(self._writer.get_extra_info("socket").fileno())) as sock:
            sock.shutdown(socket.SHUT_WR)


class FaultServer:
    """What it was asked, and how often it was connected to."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = list(faults)
        self._tasks: set[asyncio.Task[None]] = set()
        self.asked: list[Asked] = []
        self.connections = 0
        self.open = 0
        self.port = 0
        self.origin = ""

    def then(self, *faults: Fault) -> None:
        """From now on, behave like this."""
        self._faults = list(faults)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        try:
            while (asked := await read_request(reader)) is not None:
                self.asked.append(asked)
                if not await self._next()(Turn(asked, writer)):
                    break
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()

    def stop(self) -> None:
        """End every connection, also one that keeps silent."""
        for task in list(self._tasks):
            task.cancel()

    async def stopped(self) -> None:
        """All have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0.01)

    def _next(self) -> Fault:
        return self._faults.pop(0) if len(self._faults) > 1 else self._faults[0]


@contextlib.asynccontextmanager
async def serve_faults(*faults: Fault, tls: ssl.SSLContext | None = None) -> AsyncIterator[FaultServer]:
    """Serve on a free port of 127.0.0.1, as `localhost` over TLS."""
    server = FaultServer(faults)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    server.origin = f"https://localhost:{server.port}" if tls else f"http://127.0.0.1:{server.port}"
    try:
        yield server
    finally:
        listener.close()
        server.stop()
        await server.stopped()


def raw(data: bytes, *, keep: bool = False) -> Fault:
    """These very bytes; then the end, unless `keep`."""

    async def behave(turn: Turn) -> bool:
        await turn.write(data)
        return keep

    return behave


def answer(body: bytes, status: int = 200, headers: Sequence[tuple[str, str]] = (JSON,)) -> Fault:
    """A good answer with its length, and the connection stays."""
    return raw(head(status, [*headers, ("content-length", str(len(body)))]) + body, keep=True)


def stream(*chunks: bytes, pause: float = 0.0, end: bool = True) -> Fault:
    """Chunks with so many seconds between two of them; without `end`, the connection breaks behind the last."""

    async def behave(turn: Turn) -> bool:
        await turn.write(head(200, [EVENTS, ("transfer-encoding", "chunked")]))
        for chunk in chunks:
            await turn.write(chunked(chunk))
            await asyncio.sleep(pause)
        if end:
            await turn.write(b"0\r\n\r\n")
        return end

    return behave


def stall(*chunks: bytes, seconds: float = 120.0) -> Fault:
    """Chunks, then silence in mid-stream."""

    async def behave(turn: Turn) -> bool:
        await turn.write(head(200, [EVENTS, ("transfer-encoding", "chunked")]) + b"".join(map(chunked, chunks)))
        await asyncio.sleep(seconds)
        return False

    return behave


def silence(seconds: float = 120.0) -> Fault:
    """Not a byte, for so long; then the end."""

    async def behave(turn: Turn) -> bool:
        del turn
        await asyncio.sleep(seconds)
        return False

    return behave


def reset() -> Fault:
    """The connection is reset before a byte of the answer."""

    async def behave(turn: Turn) -> bool:
        turn.reset()
        return False

    return behave


def hang_up() -> Fault:
    """The connection ends before a byte of the answer."""
    return raw(b"")


def slow_head(seconds: float, body: bytes = b"{}") -> Fault:
    """A good answer whose head comes byte by byte, so many seconds apart."""

    async def behave(turn: Turn) -> bool:
        for byte in head(200, [JSON, ("content-length", str(len(body)))]):
            await turn.write(bytes([byte]))
            await asyncio.sleep(seconds)
        await turn.write(body)
        return True

    return behave


def cut_body(sent: bytes, promised: int) -> Fault:
    """Fewer bytes than the head promised, then the end."""
    return raw(head(200, [JSON, ("content-length", str(promised))]) + sent)


def interim(status: int, body: bytes = b"{}") -> Fault:
    """An interim head (100, 103) before the good answer."""
    first = f"HTTP/1.1 {status} Interim\r\nlink: </a>\r\n\r\n".encode()
    return raw(first + head(200, [JSON, ("content-length", str(len(body)))]) + body, keep=True)


def switching() -> Fault:
    """Another protocol, unasked."""
    return raw(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n", keep=True)


def extra(body: bytes, more: bytes, later: float = 0.0) -> Fault:
    """A good answer and bytes that nobody asked for, with it or so many seconds later."""

    async def behave(turn: Turn) -> bool:
        good = head(200, [JSON, ("content-length", str(len(body)))]) + body
        if later:
            await turn.write(good)
            await asyncio.sleep(later)
            await turn.write(more)
        else:
            await turn.write(good + more)
        return True

    return behave


def no_length(body: bytes) -> Fault:
    """A body that ends with its connection."""
    return raw(head(200, [JSON]) + body)


def malformed() -> Fault:
    """No HTTP at all."""
    return raw(b"220 mail.example ESMTP\r\n", keep=True)


def overloaded(retry_after: str = "2", status: int = 503) -> Fault:
    """A refusal for now, with its Retry-After."""
    return answer(b'{"error":{"message":"overloaded"}}', status, [JSON, ("retry-after", retry_after)])


def head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """The bytes of a head."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} \r\n{fields}\r\n".encode()


def chunked(data: bytes) -> bytes:
    """One chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)
