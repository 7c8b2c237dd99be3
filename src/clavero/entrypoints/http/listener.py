"""A listener that looks before it lets in: who calls, and whether what comes is TLS.

Whoever may not come in is let go before a handshake is paid for, and so is who does not finish one in time. Who speaks
plain HTTP to a port of TLS reads what to do instead.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

from clavero.domain.forwarded import Proxies, plain
from clavero.domain.reach import same_machine

BACKLOG: Final = 1024
_BATCH: Final = 64  # connections taken in one turn of the loop
_HANDSHAKE: Final = b"\x16"  # the first byte of every TLS connection (RFC 8446 section 5.1)
_PAUSE_SECONDS: Final = 1.0  # after the system has run out of descriptors
_LINGER_SECONDS: Final = 2.0  # for a caller to read why
_LEAST_SECONDS: Final = 0.05


class Entry(Struct, frozen=True, kw_only=True):
    """What a listener lets in. `missed` hears of each failure before the first request: its code, and the address.

    `tls` is None for a listener in the clear; `in_the_clear` is what a caller without TLS is answered.
    """

    make: Callable[[], asyncio.Protocol]
    missed: Callable[[str, str], None]
    proxies: Proxies = Proxies()
    tls: ssl.SSLContext | None = None
    in_the_clear: bytes = b""
    handshake_seconds: float = 10.0
    shutdown_seconds: float = 5.0
    most: int = 1024  # handshakes under way, in all
    most_each: int = 128  # of one address that is no proxy's


def admits(proxies: Proxies, peer: str, own: str) -> bool:
    """Whether a peer may come in: where proxies are named, they and this machine alone."""
    return not proxies or same_machine(peer, own) or proxies.holds(peer)


class Listener:
    """One listening socket and what has not finished its handshake. It is shaped like `asyncio.Server`."""

    def __init__(self, sock: socket.socket, entry: Entry) -> None:
        self._sock = sock
        self._entry = entry
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_address: dict[str, int] = {}
        self.waiting = 0  # handshakes under way
        sock.settimeout(0.0)
        sock.listen(BACKLOG)
        self._watch()

    def close(self) -> None:
        """Take no more, and let go of who has not finished its handshake."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()
        for task in list(self._tasks):
            task.cancel()

    async def wait_closed(self) -> None:
        """Nothing of a handshake runs any more."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _watch(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.add_reader(self._sock, self._take)

    def _take(self) -> None:
        for _ in range(_BATCH):
            try:
                sock, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptor is left: waiting is all that helps
                self._loop.call_exception_handler({"message": "a connection could not be taken", "exception": error})
                self._loop.remove_reader(self._sock)
                self._loop.call_later(_PAUSE_SECONDS, self._watch)
                return
            self._let_in(sock, plain(str(peer[0])))

    def _let_in(self, sock: socket.socket, address: str) -> None:
        entry = self._entry
        sock.settimeout(0.0)
        if not admits(entry.proxies, address, plain(str(sock.getsockname()[0]))):
            entry.missed("peer_not_admitted", address)
            sock.close()
        elif entry.tls is None:
            self._start(self._join(sock))
        elif self._has_room(address):
            self._count(address, 1)
            self._start(self._greet(sock, address, entry.tls))
        else:
            entry.missed("too_many_handshakes", address)
            sock.close()

    def _has_room(self, address: str) -> bool:
        crowded = self._by_address.get(address, 0) >= self._entry.most_each and not self._entry.proxies.holds(address)
        return not crowded and self.waiting < self._entry.most

    def _count(self, address: str, step: int) -> None:
        self.waiting += step
        left = self._by_address.pop(address, 0) + step
        if left > 0:
            self._by_address[address] = left

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, sock: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._entry.make, sock)
        except OSError:  # it left in the same moment
            sock.close()

    async def _greet(self, sock: socket.socket, address: str, tls: ssl.SSLContext) -> None:
        """Look at the first byte, then let in, explain, or let go; all of it within the handshake's time."""
        entry, began = self._entry, self._loop.time()
        try:
            first = await asyncio.wait_for(self._first_byte(sock), entry.handshake_seconds)
            if first == _HANDSHAKE:
                left = max(began + entry.handshake_seconds - self._loop.time(), _LEAST_SECONDS)
                await self._loop.connect_accepted_socket(
                    entry.make, sock, ssl=tls, ssl_handshake_timeout=left, ssl_shutdown_timeout=entry.shutdown_seconds
                )
                return
            entry.missed("tls_required" if first.isalpha() else "tls_handshake_failed", address)
            if first.isalpha():
                await asyncio.wait_for(self._explain(sock), _LINGER_SECONDS)
            sock.close()
        except OSError:  # every failure of TLS is one, and so is every timeout
            entry.missed("tls_handshake_failed", address)
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise
        finally:
            self._count(address, -1)

    async def _first_byte(self, sock: socket.socket) -> bytes:
        """The first byte, which stays to be read; b"" where the caller has gone."""
        came: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(sock, _wake, came)
        try:
            await came
        finally:
            self._loop.remove_reader(sock)
        return sock.recv(1, socket.MSG_PEEK)

    async def _explain(self, sock: socket.socket) -> None:
        """Answer in the clear, then read what comes until the caller ends: an end before that would eat the answer."""
        with suppress(OSError):
            await self._loop.sock_sendall(sock, self._entry.in_the_clear)
            sock.shutdown(socket.SHUT_WR)
            while await self._loop.sock_recv(sock, 65_536):
                pass


def _wake(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)
