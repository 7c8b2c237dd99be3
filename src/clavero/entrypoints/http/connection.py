"""One caller's connection: bytes in, whole and checked requests out, one at a time.

It is the guard: whatever is not a clean request is refused here, once, and the connection ends. Reading never stops
while an exchange is under way, because that is how the caller's leaving is seen; what arrives then is no request of
ours (nobody may pipeline) and is thrown away.
"""

import asyncio
import socket
import struct
from math import inf
from typing import Final

from clavero.domain.errors import InternalError, Overloaded, Problem, RequestTimeout
from clavero.domain.forwarded import FOR, SAID, plain
from clavero.entrypoints.http.answer import CONTINUE, framing, head
from clavero.entrypoints.http.edge import Edge
from clavero.entrypoints.http.exchange import Exchange
from clavero.entrypoints.http.intake import Intake
from clavero.entrypoints.http.listener import admits
from clavero.ports.client import Request

_IDLE: Final = 0  # between two requests
_HEAD: Final = 1  # a byte of a request has come
_BODY: Final = 2  # its head is complete and good
_BUSY: Final = 3  # an exchange is under way
_LINGER: Final = 4  # refused: what still comes is thrown away, so that the caller can read why
_CLOSED: Final = 5

_RESET: Final = struct.pack("ii", 1, 0)  # linger for no time
_WATER: Final = 65_536  # bytes that may wait for a slow reader before its provider is paused


class Connection(asyncio.Protocol):
    """What the loop calls, and what an exchange needs of its wire."""

    __slots__ = (
        "_counted", "_due", "_early", "_edge", "_exchange", "_intake", "_peer", "_phase", "_relays", "_since", "_stall",
        "_started_ns", "deadline", "paused", "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._intake = Intake(edge.limits)
        self._phase = _IDLE
        self._peer = ""
        self._relays = False  # the peer speaks for others, and is believed
        self._exchange: Exchange | None = None
        self._early: list[bytes] = []  # came when the answer was out and its task not quite done
        self._due = self._stall = self.deadline = inf
        self._since = 0.0  # when the body began
        self._counted = 0  # bytes of this body that the edge counts as unfinished
        self._started_ns = 0
        self.paused = False

    # --- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self.transport = transport  # type: ignore[assignment] # the loop hands a protocol of streams a Transport
        self.transport.set_write_buffer_limits(high=_WATER)  # over TLS it would be half a megabyte
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self._peer = plain(peer[0]) if isinstance(peer, tuple) else ""
        self._edge.ticker.add(self)
        self._wait(self._edge.limits.idle_seconds)
        entered, proxies = self._edge.enter(self, self._peer), self._edge.inside.proxies
        if proxies:
            self._relays = proxies.holds(self._peer)
            if not admits(proxies, self._peer, plain(own[0]) if isinstance(own, tuple) else ""):
                self._edge.inside.missed("peer_not_admitted", self._peer)
                self._phase = _CLOSED
                self.transport.abort()
                return
        if not entered:
            self._refuse(Overloaded())

    def data_received(self, data: bytes) -> None:
        """Take what came; hand over the request when it is whole."""
        if self._phase > _BODY:
            self._unexpected(data)
            return
        intake = self._intake
        try:
            intake.feed(data)
        except Problem as problem:
            self._refuse(problem)
            return
        if intake.headed:
            if self._phase != _BODY:
                self._headed()
            if intake.whole:
                self._hand_over()
            else:
                self._count_body()
        elif self._phase == _IDLE:
            self._phase = _HEAD
            self._wait(self._edge.limits.head_seconds)

    def eof_received(self) -> None:
        """Half a connection is none: the caller has left."""

    def connection_lost(self, error: Exception | None) -> None:
        """Cancel what is under way; let go of everything."""
        del error
        self._phase = _CLOSED
        self._edge.ticker.discard(self)
        self._edge.leave(self, self._peer)
        self._edge.unfinished -= self._counted
        self._counted = 0
        exchange, self._exchange = self._exchange, None
        self._intake.close()
        self._early.clear()
        if exchange is not None and not exchange.ended:
            exchange.leave()
            if exchange.task is not None and not exchange.begun:  # it will never run, so it cannot say so itself
                self._edge.tasks.discard(exchange.task)

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self.paused = True
        self._stall = self._edge.ticker.now + self._edge.limits.stall_seconds
        self.deadline = min(self._due, self._stall)
        if self._exchange is not None:
            self._exchange.flow(paused=True)

    def resume_writing(self) -> None:
        """It has caught up."""
        self.paused = False
        self._stall = inf
        self.deadline = self._due
        if self._exchange is not None:
            self._exchange.flow(paused=False)

    def expire(self, now: float) -> None:
        """A deadline has passed: the phase says which."""
        phase = self._phase
        if now >= self._stall or phase >= _LINGER:
            self.transport.abort()
        elif phase == _IDLE:
            self._close()
        elif phase == _HEAD:
            self._refuse(RequestTimeout(part="head"))
        elif phase == _BODY:
            self._check_rate(now)
        else:
            self._give_up()

    # --- what an exchange needs

    @property
    def date(self) -> str:
        """The date as headers say it."""
        return self._edge.date

    @property
    def stays(self) -> bool:
        """False once the server drains."""
        return not self._edge.draining

    def answered(self, exchange: Exchange) -> None:
        """The answer is written whole: end, or go on once its task has ended too."""
        if not exchange.keep or self._edge.draining:
            self._exchange = None
            self._close()
        elif exchange.returned:
            self._go_on()

    def broken(self, *, clean: bool) -> None:
        """The answer was cut."""
        self._exchange = None
        if clean:
            self._close()
            return
        if (sock := self.transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)  # else the end would look like a clean one
        self.transport.abort()

    # --- for the server

    def drain(self) -> None:
        """End now if nothing is under way, else after it."""
        if self._phase == _IDLE:
            self._close()

    def end(self) -> None:
        """End now."""
        self.transport.abort()

    # --- privately

    def _headed(self) -> None:
        self._started_ns = self._edge.clock.monotonic_ns()
        self._phase = _BODY
        if not self._intake.whole:
            self._since = self._edge.ticker.now
            self._wait(self._edge.limits.body_grace)
            if self._intake.waits:
                self.transport.write(CONTINUE)

    def _hand_over(self) -> None:
        edge, intake = self._edge, self._intake
        request = intake.take(edge.new_id(), self._peer, edge.clock.wall_ns(), self._started_ns)
        self._attribute(request)
        exchange = self._exchange = Exchange(self, request, keep=intake.keep, old=intake.old)
        intake.reset()
        if self._counted:
            edge.unfinished -= self._counted
            self._counted = 0
        self._phase = _BUSY
        self._due = inf
        self.deadline = self._stall
        edge.begin(exchange, self._carry)

    def _attribute(self, request: Request) -> None:
        """Say whose request it is; what a peer says of others goes no further, whether it was believed or not."""
        headers = request.headers
        if self._relays:
            request.peer = self._edge.inside.proxies.client(self._peer, headers.get(FOR, ""))
        for name in SAID:
            if name in headers:
                del headers[name]

    async def _carry(self, exchange: Exchange) -> None:
        exchange.begun = True
        try:
            await self._edge.handler(exchange.request, exchange)
        except Exception as error:  # noqa: BLE001 - nothing may leave the caller without an answer
            self._edge.report("an exchange failed outside its own handling", error)
            self._fail(exchange)
        finally:
            self._returned(exchange)

    def _returned(self, exchange: Exchange) -> None:
        exchange.returned = True
        task, exchange.task = exchange.task, None
        if task is not None:
            self._edge.tasks.discard(task)
        if self._exchange is not exchange:
            exchange.drop()
        elif exchange.ended:
            self._go_on()
        else:  # the answer may wait for the journal, but not for ever
            self._wait(self._edge.limits.late_seconds)

    def _go_on(self) -> None:
        if self._exchange is not None:
            self._exchange.drop()
            self._exchange = None
        if self._edge.draining:
            self._close()
        elif self._phase == _BUSY:
            self._phase = _IDLE
            self._wait(self._edge.limits.idle_seconds)
            if self._early:
                early = b"".join(self._early)
                self._early.clear()
                self.transport.resume_reading()
                self.data_received(early)

    def _give_up(self) -> None:
        if self._exchange is not None:
            self._edge.report("an exchange ended without an answer", RuntimeError(self._exchange.request.id))
            self._fail(self._exchange)

    def _fail(self, exchange: Exchange) -> None:
        if exchange.opened:
            exchange.cut()
        else:
            exchange.reply(*self._edge.words(InternalError(), exchange.request))

    def _unexpected(self, data: bytes) -> None:
        exchange = self._exchange
        if self._phase != _BUSY or exchange is None or data == b"\r\n":
            return
        if exchange.ended:  # the caller may well be quicker than the task's last steps
            self._early.append(data)
            self.transport.pause_reading()
        else:
            exchange.keep = False

    def _count_body(self) -> None:
        edge, size = self._edge, self._intake.size
        edge.unfinished += size - self._counted
        self._counted = size
        if edge.unfinished > edge.limits.bodies_bytes:
            self._refuse(Overloaded())

    def _check_rate(self, now: float) -> None:
        if self._intake.size < self._edge.limits.body_rate * (now - self._since):
            self._refuse(RequestTimeout(part="body"))
        else:
            self._wait(1.0)

    def _refuse(self, problem: Problem) -> None:
        edge = self._edge
        clock = edge.clock
        request = self._intake.known(edge.new_id(), self._peer, clock.wall_ns(), clock.monotonic_ns())
        status, headers, body = edge.words(problem, request)
        top = head(status, headers, edge.date, framing(len(body), keep=False))
        self.transport.write(top if request is not None and request.method == "HEAD" else top + body)
        self._intake.reset()
        edge.unfinished -= self._counted
        self._counted = 0
        self._phase = _LINGER
        self._wait(edge.limits.linger_seconds)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _close(self) -> None:
        """End after what is written; a caller that does not read it cannot keep us."""
        self._phase = _CLOSED
        self._wait(self._edge.limits.stall_seconds)
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        self._due = self._edge.ticker.now + seconds
        self.deadline = min(self._due, self._stall)
