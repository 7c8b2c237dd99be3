"""A real small HTTP proxy, as companies have one: CONNECT and plain requests, with or without a password or TLS."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

Misdeed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Proxy:
    """What it was asked for, and with which password; `misdeed` is done in place of an answer to CONNECT."""

    def __init__(self, authorization: str = "", misdeed: Misdeed | None = None) -> None:
        self.hosts: dict[str, int] = {}  # names that it alone knows, and their ports here
        self.authorization = authorization
        self.misdeed = misdeed
        self.asked: list[str] = []
        self.shown: list[str] = []
        self.carried = 0  # bytes to providers
        self.seen = b""  # what went through it
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._serve(reader, writer)
        self._tasks.discard(task)
        writer.close()

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        method, target, _ = line.split(" ")
        self.asked.append(f"{method} {target}")
        self.shown.append(headers.get("proxy-authorization", ""))
        if self.misdeed is not None:
            await self.misdeed(reader, writer)
        elif headers.get("proxy-authorization", "") != self.authorization:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
        elif method == "CONNECT":
            await self._tunnel(reader, writer, target)
        else:
            await self._pass_on(reader, writer, head)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> None:
        host, _, port = target.rpartition(":")
        if host in self.hosts:
            host, port = "127.0.0.1", str(self.hosts[host])
        try:
            up_reader, up_writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
        await self._both(reader, writer, up_reader, up_writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        line, _, fields = head.partition("\r\n")
        method, url, version = line.split(" ")
        parts = urlsplit(url)
        up_reader, up_writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        kept = [field for field in fields.split("\r\n") if not field.lower().startswith("proxy-")]
        up_writer.write(
            f"{method} {parts.path} {version}\r\n{chr(13) + chr(10)}".encode()[:-2] + "\r\n".join(kept).encode()
        )
        await self._both(reader, writer, up_reader, up_writer)

    async def _both(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        async def up() -> None:
            while data := await reader.read(65_536):
                self.carried += len(data)
                self.seen += data
                up_writer.write(data)
            up_writer.close()

        async def down() -> None:
            while data := await up_reader.read(65_536):
                writer.write(data)
            writer.close()

        with contextlib.suppress(OSError):
            await asyncio.gather(up(), down())


@contextlib.asynccontextmanager
async def proxying(
    authorization: str = "", misdeed: Misdeed | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    """A proxy on a free port of 127.0.0.1."""
    proxy = Proxy(authorization, misdeed)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.end()
