"""One connection to the simulator: reads requests, plays replies step by step, keeps alive.

Plain HTTP/1.1 for the same machine; requests sent ahead of their turn wait for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus

import httptools

from clavero.simulator.billing import Invoice
from clavero.simulator.house import Asked
from clavero.simulator.replies import Bill, Ending, Reply, Step

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus} | {529: b"Overloaded"}
_HEAD_BYTES = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BAD_BODY = b'{"error":{"message":"Malformed HTTP.","type":"invalid_request_error","param":null,"code":null}}'
_BAD = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nx-simulated: true\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BAD_BODY), _BAD_BODY)
)
_STREAM = b"Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked"

_USUAL = ("Host", "Authorization", "Content-Type", "Content-Length", "Accept", "User-Agent", "Accept-Encoding")
_FOLDED = {name.encode(): name.lower() for name in _USUAL} | {name.lower().encode(): name.lower() for name in _USUAL}

Answerer = Callable[[Asked], Reply]


class Connection(asyncio.Protocol):
    """One caller. `answer` is asked for each request; `gone` is done once the connection has ended."""

    def __init__(self, answer: Answerer, invoice: Invoice, body_bytes: int, alive: "set[Connection]") -> None:
        self._answer = answer
        self._invoice = invoice
        self._body_bytes = body_bytes
        self._alive = alive
        self._parser = httptools.HttpRequestParser(self)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Asked, bool]] = deque()
        self._reply: Reply | None = None
        self._place = 0
        self._played = 0  # tokens of the reply so far
        self._rested = False  # the delay of the present step is over
        self._keep_alive = True
        self._paused = False
        self._timer: asyncio.Handle | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()

    # --- the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream server gives no other
        self._alive.add(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Stop playing; what was played of a stream is billed."""
        self._alive.discard(self)
        self.gone.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._reply is not None:
            self._invoice.left += 1
            self._charge(self._reply)
            self._reply = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a request that is no HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse()
        except httptools.HttpParserError:
            self._refuse()

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self._paused = True

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._paused = False
        if self._reply is not None and self._timer is None:
            self._advance()

    def abort(self) -> None:
        """End now."""
        self._transport.abort()

    def _refuse(self) -> None:
        self._transport.write(_BAD)
        self._transport.close()

    # --- the parser

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url
        self._grow(len(url), _HEAD_BYTES)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; the last of a repeated one wins."""
        folded = _FOLDED.get(name) or name.decode("latin-1").lower()
        self._headers[folded] = value.decode("latin-1")
        self._grow(len(name) + len(value), _HEAD_BYTES)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._size = 0
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body.append(data)
        self._grow(len(data), self._body_bytes)

    def on_message_complete(self) -> None:
        """The request is whole: answer it, or let it wait for its turn."""
        method = self._parser.get_method().decode("latin-1")
        path = self._url.partition(b"?")[0].decode("latin-1")
        asked = Asked(method, path, self._headers, b"".join(self._body))
        self._waiting.append((asked, self._parser.should_keep_alive()))
        if self._reply is None:
            self._next()

    def _grow(self, size: int, most: int) -> None:
        self._size += size
        if self._size > most:
            raise ValueError("too large")  # the parser turns it into its own error, and the connection ends

    # --- the play

    def _next(self) -> None:
        if not self._waiting or self._transport.is_closing():
            return
        asked, self._keep_alive = self._waiting.popleft()
        reply = self._answer(asked)
        self._reply, self._place, self._played, self._rested = reply, 0, 0, False
        self._without_body = asked.method == "HEAD"
        self._advance()

    def _advance(self) -> None:
        """Play steps until one must wait: for its delay, for the caller, or for the next turn of the loop."""
        self._timer = None
        reply = self._reply
        while reply is not None:
            if self._place == len(reply.steps):
                self._end(reply)
                return
            step = reply.steps[self._place]
            if step.delay > 0 and not self._rested:
                self._rested = True
                self._timer = self._loop.call_later(step.delay, self._advance)
                return
            if self._paused:
                return
            self._write(reply, step)
            if reply.streamed:
                self._timer = self._loop.call_soon(self._advance)
                return

    def _write(self, reply: Reply, step: Step) -> None:
        data = b"" if self._without_body else step.data
        if reply.streamed:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._transport.write(self._head(reply) + data if self._place == 0 else data)
        self._place += 1
        self._played += step.tokens
        self._rested = False

    def _head(self, reply: Reply) -> bytes:
        lines = b"".join(b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in reply.headers)
        if not self._keep_alive:
            lines += b"Connection: close\r\n"
        reason = _REASONS.get(reply.status, b"Unknown")
        if reply.streamed:
            shape = _STREAM
        else:
            length = len(reply.steps[0].data) if reply.length is None else reply.length
            shape = b"Content-Type: application/json\r\nContent-Length: %d" % length
        return b"HTTP/1.1 %d %b\r\nx-simulated: true\r\n%b%b\r\n\r\n" % (reply.status, reason, lines, shape)

    def _end(self, reply: Reply) -> None:
        if reply.ending is Ending.HANG:
            return  # until the caller goes
        self._charge(reply)
        self._reply = None
        if reply.ending is Ending.RESET:
            self._transport.abort()
        elif reply.ending is Ending.CUT:
            self._transport.close()
        else:
            if reply.streamed:
                self._transport.write(b"0\r\n\r\n")
            self._carry_on()

    def _carry_on(self) -> None:
        if not self._keep_alive:
            self._transport.close()
        elif self._waiting:
            self._next()

    def _charge(self, reply: Reply) -> None:
        """A stream is billed as far as it was played, a plain answer whole: it was made before it was sent."""
        bill: Bill | None = reply.bill
        if bill is not None:
            self._invoice.charge(bill, self._played if reply.streamed else bill.output - bill.extra)
