"""One connection to a provider: it carries one call at a time and pushes the answer into the call's taker.

What one read of the socket yields is pushed once. A connection is used again only after a whole answer that said how
long it was, with nothing behind it.
"""

import asyncio
import ssl
from math import inf
from typing import Final, Protocol

import httptools

from clavero.adapters.upstreams.call import Call
from clavero.adapters.upstreams.place import Place
from clavero.domain.calls import BadAnswer, ConnectionLost, Silent
from clavero.ports.clock import Ticker
from clavero.ports.upstreams import Head

_BARREN: Final = 64 * 1024  # bytes that may come without a byte of body: heads, chunk extensions, trailers
_FIELDS: Final = 200
_BODILESS: Final = frozenset((204, 304))

_SPELT: Final = (
    "content-type", "content-length", "transfer-encoding", "connection", "date", "server", "retry-after", "request-id",
    "x-request-id", "cache-control", "content-encoding", "retry-after-ms", "x-should-retry", "openai-processing-ms",
    "openai-organization", "openai-version", "anthropic-organization-id", "cf-ray", "cf-cache-status", "alt-svc",
    "strict-transport-security", "x-content-type-options", "set-cookie", "vary", "via", "keep-alive",
    *(f"x-ratelimit-{kind}-{what}" for kind in ("limit", "remaining", "reset") for what in ("requests", "tokens")),
)  # fmt: skip
_KNOWN: Final = {spelt.encode(): name for name in _SPELT for spelt in (name, name.title())}


class Watch(Protocol):
    """What a connection needs of its pool."""

    connections: "set[Connection]"

    def dial(self, call: Call) -> None:
        """Carry this call on a fresh connection."""


class _NotAsked(Exception):
    """An answer began that nobody waits for."""


class Connection(asyncio.Protocol):
    """What the loop and the parser call. `generation` is that of its place when it was made."""

    __slots__ = (
        "_barren", "_begun", "_call", "_ended", "_fields", "_got", "_head", "_headed", "_interim", "_keep", "_parser",
        "_place", "_reused", "_ticker", "_to_the_end", "_touched", "_watch", "_whole", "deadline", "generation",
        "idle_seconds", "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, place: "Place[Connection]", ticker: Ticker, watch: Watch, idle_seconds: float) -> None:
        self.generation = place.generation
        self.idle_seconds = idle_seconds
        self.deadline = inf
        self._place = place
        self._ticker = ticker
        self._watch = watch
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._call: Call | None = None
        self._reused = False
        self._ended = False  # the other side has said that nothing more comes
        self._reset()

    def _reset(self) -> None:
        self._fields: list[tuple[bytes, bytes]] = []
        self._got: list[bytes] = []
        self._head: Head | None = None  # came, and not yet pushed
        self._barren = 0
        self._headed = self._begun = self._whole = self._interim = False
        self._keep = self._to_the_end = self._touched = False

    def carry(self, call: Call) -> None:
        """Write the request of a call and push its answer. The connection must be idle."""
        self._call = call
        call.carrier = self
        self.deadline = min(self._ticker.now + call.deadlines.first_byte, call.total_at)
        self.transport.write(call.data)
        if call.paused:
            self.pause()

    # --- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be counted."""
        self.transport = transport  # type: ignore[assignment] # the loop hands a protocol of streams a Transport
        self._watch.connections.add(self)
        self._ticker.add(self)
        self.deadline = self._ticker.now + self.idle_seconds  # should nobody want it any more

    def data_received(self, data: bytes) -> None:
        """Push what this read yields."""
        call, parser = self._call, self._parser
        if call is None or parser is None:  # nobody asked
            self.transport.abort()
            return
        self._touched = True
        call.data = b""  # no longer sent again; a long stream need not keep a long prompt
        failure = ""
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            failure = str(error.__context__ or error)[:200] or "it cannot be parsed"
        if self._got:
            self._barren = 0
            self._begun = True
        else:
            self._barren += len(data)
        self._push(call, failure)

    def eof_received(self) -> None:
        """The other side has said that nothing more comes."""
        self._ended = _is_vouched(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End the call in the way that what had come allows."""
        self._watch.connections.discard(self)
        self._ticker.discard(self)
        self._place.forget(self)
        self._parser = None
        call, self._call = self._call, None
        if call is None or call.ended:
            return
        call.carrier = None
        if self._to_the_end and self._ended and error is None:
            call.finish()
        elif self._reused and not self._touched and not call.retried:
            call.retried = True
            self._watch.dial(call)
        else:
            call.fail(ConnectionLost("the answer is incomplete" if self._touched else "no answer came"))

    def expire(self, now: float) -> None:
        """A deadline has passed: of the call, or of waiting for one."""
        call = self._call
        if call is None:
            self.transport.close()
            self.deadline = inf
        elif now >= call.total_at:
            self._fail(call, Silent(f"no end within {call.deadlines.total:g} s"))
        elif not self._begun:
            self._fail(call, Silent(f"no first byte within {call.deadlines.first_byte:g} s"))
        else:
            self._fail(call, Silent(f"nothing came for {call.deadlines.idle:g} s"))

    # --- what the parser calls

    def on_message_begin(self) -> None:
        """An answer begins; never behind a whole one."""
        if self._whole:
            raise _NotAsked("more came than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field of the head; trailers are not taken for one."""
        if not self._headed:
            if len(self._fields) >= _FIELDS:
                raise BadAnswer(f"more than {_FIELDS} header fields")
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Understand the head, or pass over an interim one."""
        parser = self._parser
        if parser is None:
            return
        status = parser.get_status_code()
        fields, self._fields = self._fields, []
        self._interim = status < 200
        if self._interim:
            if status == 101:
                raise BadAnswer("it switches protocols unasked")
            return
        known = _KNOWN
        headers = {known.get(name) or name.decode("latin-1").lower(): value.decode("latin-1") for name, value in fields}
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            raise BadAnswer("its transfer coding is not chunked")
        self._to_the_end = coding is None and "content-length" not in headers and status not in _BODILESS
        self._headed = True
        self._head = Head(status, headers)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._got.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole, if it was no interim one."""
        if not self._interim:
            self._whole = True
            self._keep = self._parser is not None and self._parser.should_keep_alive()

    # --- what a call asks for

    def pause(self) -> None:
        """Read no more for now: it is not the provider who is silent."""
        if self._call is not None and not self.transport.is_closing():
            self.transport.pause_reading()
            self.deadline = self._call.total_at

    def resume(self) -> None:
        """Read again."""
        if self._call is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self._expect(self._call)

    def drop(self) -> None:
        """End it; detached first, or the loss would be told as a second failure."""
        self._call = None
        self.transport.abort()

    def close(self, error: Exception) -> None:
        """End it for good; a call under way fails with this."""
        call = self._call
        if call is None:
            self.transport.abort()
        else:
            self._fail(call, error)

    # --- privately

    def _push(self, call: Call, failure: str) -> None:
        head, self._head = self._head, None
        if head is not None:
            call.taker.head(head)
        if self._got and self._call is call:
            got, self._got = self._got, []
            self._expect(call)
            call.taker.data(got[0] if len(got) == 1 else b"".join(got))
        if self._call is not call:  # the taker has ended it
            return
        if self._whole:
            self._finish(call, clean=not failure)
        elif failure:
            self._fail(call, BadAnswer(failure))
        elif self._barren > _BARREN:
            self._fail(call, BadAnswer(f"more than {_BARREN} bytes without any of the answer"))

    def _finish(self, call: Call, *, clean: bool) -> None:
        self._call = None
        transport = self.transport
        if not clean:
            transport.abort()
        elif self._keep and not self._ended and not transport.get_write_buffer_size() and self._place.put(self):
            if call.paused:
                transport.resume_reading()
            self._reset()
            self._reused = True
            self.deadline = self._ticker.now + self.idle_seconds
        else:
            transport.close()
        call.finish()

    def _fail(self, call: Call, error: Exception) -> None:
        self.drop()
        call.fail(error)

    def _expect(self, call: Call) -> None:
        """Set the deadline of what comes next; a paused provider owes nothing but the end."""
        deadlines = call.deadlines
        pause = deadlines.total if call.paused else deadlines.idle if self._begun else deadlines.first_byte
        self.deadline = min(self._ticker.now + pause, call.total_at)


def _is_vouched(transport: asyncio.Transport) -> bool:
    """Whether an end is the other side's word: anybody on the way can end TCP, but not TLS (RFC 8446 section 6.1).

    Both loops tell of either end alike, so TLS itself is asked: it reads nothing after its own, and waits after TCP's.
    """
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return True
    try:
        return not tls.read(1)
    except ssl.SSLError:
        return False
