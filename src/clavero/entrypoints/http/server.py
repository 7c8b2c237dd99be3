"""The gateway's own HTTP/1.1 server: a listener, its connections, and an end that finishes what runs.

It knows no path and no dialect: requests go to a handler, refusals are worded by whoever is given for that.
"""

import asyncio
import socket
import ssl as tls

from clavero.domain.errors import TlsRequired
from clavero.entrypoints.http.answer import framing, head
from clavero.entrypoints.http.connection import Connection
from clavero.entrypoints.http.edge import Edge, Inside, Limits
from clavero.entrypoints.http.listener import BACKLOG, Entry, Listener

_LAST_STEPS_SECONDS = 5.0  # for cancelled tasks to write their records


class Server:
    """One listener. The ticker that is given must run."""

    def __init__(self, inside: Inside, limits: Limits | None = None) -> None:
        self._inside = inside
        self._limits = limits or Limits()
        self._edge: Edge | None = None
        self._listener: asyncio.Server | Listener | None = None

    @property
    def connections(self) -> int:
        """How many callers are connected."""
        return len(self._edge.connections) if self._edge else 0

    @property
    def exchanges(self) -> int:
        """How many exchanges are under way."""
        return len(self._edge.tasks) if self._edge else 0

    async def start(self, sock: socket.socket, ssl: tls.SSLContext | None = None) -> None:
        """Listen on a socket that is already bound."""
        loop = asyncio.get_running_loop()
        edge = self._edge = Edge(self._inside, self._limits, loop)
        edge.ticker.add(edge)
        if ssl is None:
            self._listener = await loop.create_server(lambda: Connection(edge), sock=sock, backlog=BACKLOG)
        else:
            self._listener = Listener(sock, self._entry(edge, ssl))

    def _entry(self, edge: Edge, ssl: tls.SSLContext) -> Entry:
        return Entry(
            make=lambda: Connection(edge),
            missed=self._inside.missed,
            proxies=self._inside.proxies,
            tls=ssl,
            in_the_clear=_in_the_clear(edge),
            handshake_seconds=self._limits.handshake_seconds,
        )

    async def stop(self, grace: float) -> None:
        """Take no more; end idle connections now, the others after their exchange, all after `grace` seconds."""
        edge, listener = self._edge, self._listener
        if edge is None or listener is None:
            return
        self._listener = None
        edge.draining = True
        listener.close()
        for connection in list(edge.connections):
            connection.drain()
        await _until(edge, grace)
        for connection in list(edge.connections):
            connection.end()
        await _until(edge, _LAST_STEPS_SECONDS)
        edge.ticker.discard(edge)


def _in_the_clear(edge: Edge) -> bytes:
    """What a caller without TLS is answered on a port of TLS."""
    status, headers, body = edge.words(TlsRequired(), None)
    return head(status, headers, edge.date, framing(len(body), keep=False)) + body


async def _until(edge: Edge, seconds: float) -> None:
    """Wait until nobody is connected and nothing runs, but no longer than so many seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (edge.connections or edge.tasks) and loop.time() < until:  # noqa: ASYNC110 - once in a process's life
        await asyncio.sleep(0.02)
