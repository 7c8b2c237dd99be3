"""Takes one answer from a provider: a stream goes on to the caller read by read, anything else is kept whole.

It is pushed: the exchange's task sleeps until the answer has ended. Before a byte has gone to the caller a failure may
be tried again; afterwards the text is what it is, and its end says so. The preliminaries of a stream are therefore kept
back for a moment: many a provider opens one before it says that it cannot serve it.
"""

import asyncio

import msgspec

from clavero.domain.calls import BadAnswer
from clavero.domain.errors import NoCredential, Problem, StorageFull, StreamInterrupted, UpstreamError
from clavero.domain.secret import MASK
from clavero.gateway.headers import headers
from clavero.gateway.leg import Leg
from clavero.gateway.plugs import Plugs
from clavero.gateway.record import overhead_us
from clavero.gateway.reserve import Hold
from clavero.gateway.trail import Trail
from clavero.ports.upstreams import Head, Line
from clavero.wire import failures
from clavero.wire.answer import Answer, Stream
from clavero.wire.formats import read_answer, scanner
from clavero.wire.sse import EventTooLong, Scanner
from clavero.wire.translate import TranslatedStream

Machine = Scanner | TranslatedStream

_AFTER_THE_END_SECONDS = 2.0
_KEPT_BACK_SECONDS = 1.0  # longer, and callers that watch for silence would see one that is not there
_MOST_BYTES = 64 * 1024 * 1024  # of an answer that is kept whole


class Relay:
    """The `Taker` of one call. `whole` ends with it: a result, or why there is none."""

    __slots__ = (
        "_first", "_hold", "_last", "_leg", "_line", "_plugs", "_sent_ns", "_size", "_trail", "first_byte_ns", "head_",
        "parts", "scanner", "sent", "whole",
    )  # fmt: skip

    def __init__(self, trail: Trail, leg: Leg, hold: Hold, plugs: Plugs) -> None:
        self._trail = trail
        self._leg = leg
        self._hold = hold
        self._plugs = plugs
        self._line: Line | None = None
        self._size = 0
        self._first: asyncio.TimerHandle | None = None
        self._last: asyncio.TimerHandle | None = None
        self._sent_ns = 0
        self.sent = False
        self.head_: Head | None = None
        self.first_byte_ns = 0
        self.parts: list[bytes] = []
        self.scanner: Scanner | TranslatedStream | None = None
        self.whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- what the exchange does

    def send(self) -> None:
        """Let the call leave: the hold is on file."""
        if self.whole.done():  # stopped, or its caller left, while the frame was written
            return
        target, plugs = self._leg.target, self._plugs
        key = plugs.view.secret(target.provider.name)
        if key is None:
            self.interrupt(NoCredential(provider=target.provider.name))
            return
        request = self._leg.outgoing(self._hold.cap, key, self._trail.request.headers, plugs.version)
        self.sent = True
        self._sent_ns = plugs.clock.monotonic_ns()
        self._line = plugs.upstreams.send(self._leg.origin, request, self, plugs.deadlines)

    def not_written(self) -> None:
        """The hold could not be written, so the call does not leave."""
        self.interrupt(StorageFull(retry_after=5))

    def interrupt(self, problem: Problem) -> None:
        """End it from outside."""
        if not self.whole.done():
            self.whole.set_exception(problem)

    def leave(self) -> None:
        """Let the connection go; one that has not ended is never used again."""
        for timer in (self._first, self._last):
            if timer is not None:
                timer.cancel()
        if self._line is not None:
            self._line.abort()
            self._line = None
        if not self.whole.done():
            self.whole.cancel()
        elif not self.whole.cancelled():
            self.whole.exception()  # looked at, also where the caller left first

    # --- what came

    @property
    def body(self) -> bytes:
        """The whole answer, of a call that was no stream, as the provider said it."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    def told(self) -> bytes:
        """The whole answer in the format that was asked; raises `BadAnswer`."""
        translator, ask = self._leg.way.translator, self._trail.ask
        if translator is None or ask is None:
            return self.body
        return translator.answer(self.body, ask.tree, self._trail.request.at_ns // 1_000_000_000)

    def answer(self) -> Answer:
        """The reading of a plain answer; raises `BadAnswer`, or the problem that its status means."""
        head = self.head_
        if head is None:
            raise BadAnswer("there was no head")
        target = self._leg.target
        if not 200 <= head.status < 300:
            problem = failures.problem(target.provider.name, target.served, head.status, self._scrubbed(self.body))
            if (seconds := failures.retry_after(head.headers)) is not None:
                problem.facts["retry_after"] = seconds
            raise problem
        return read_answer(self._leg.way.spoken, self.body)

    def check_stream(self) -> None:
        """Raise what was wrong with a stream that has ended."""
        if self.scanner is None:
            return
        told, target = self.scanner.stream, self._leg.target
        if told.error is not None:
            error = msgspec.json.decode(self._scrubbed(msgspec.json.encode(told.error)))
            raise failures.stated(target.provider.name, target.served, 0, error)
        if not told.complete:
            cut = StreamInterrupted if self._trail.started else UpstreamError
            raise cut(provider=target.provider.name, n=1)

    def _scrubbed(self, words: bytes) -> bytes:
        """A refusal without the key that was sent: some providers repeat it, and not every key has a known form."""
        key = self._plugs.view.secret(self._leg.target.provider.name)
        return words.replace(key.reveal().encode(), MASK.encode()) if key is not None else words

    # --- ports.Taker

    def head(self, head: Head) -> None:
        """The status and headers: a stream begins, or something to be kept."""
        self.head_ = head
        self.first_byte_ns = self._plugs.clock.monotonic_ns()
        ask = self._trail.ask
        kind = head.headers.get("content-type", "")
        if ask is not None and ask.stream and head.status == 200 and kind.startswith("text/event-stream"):
            self.scanner = scanner(self._leg.way, ask, self._trail.request.at_ns // 1_000_000_000)

    def data(self, data: bytes) -> None:
        """One read: kept, or scanned and passed on."""
        if self.whole.done():
            return
        machine = self.scanner
        if machine is None:
            self.parts.append(data)
            self._size += len(data)
            if self._size > _MOST_BYTES:
                self.failed(BadAnswer("the answer is too long"))
            return
        try:
            passed = machine.feed(data)
        except (BadAnswer, EventTooLong) as bad:
            self.failed(_bad(bad))
        else:
            self._pass_on(machine.stream, passed)

    def ended(self) -> None:
        """The answer is whole."""
        if self.whole.done():
            return
        machine = self.scanner
        try:
            passed = machine.end() if machine is not None else b""
        except (BadAnswer, EventTooLong) as bad:
            self.failed(_bad(bad))
            return
        if machine is not None:
            self._pass_on(machine.stream, passed)
        if not self.whole.done():
            self.whole.set_result(None)

    def failed(self, error: Exception) -> None:
        """The answer broke off; behind the end of a stream nothing was to come, so that nothing is lost."""
        if self.whole.done():
            return
        if self.scanner is not None and self.scanner.stream.complete:
            self.whole.set_result(None)
        else:
            self.whole.set_exception(error)

    def _pass_on(self, told: Stream, passed: bytes) -> None:
        trail = self._trail
        if told.begun and not trail.first_token_ns:
            trail.first_token_ns = self._plugs.clock.monotonic_ns()
        if trail.started:
            if passed:
                trail.client.write(passed)
        elif passed:
            self._keep_back(told, passed)
        if told.error is not None:
            self.whole.set_result(None)  # `check_stream` says what it was; nothing that follows counts
        elif told.complete and self._last is None:
            # Some providers say all and then neither end the stream nor close: it is over all the same.
            self._last = asyncio.get_running_loop().call_later(_AFTER_THE_END_SECONDS, self.ended)

    def _keep_back(self, told: Stream, passed: bytes) -> None:
        self.parts.append(passed)
        if told.begun or told.complete:
            self._start()
        elif self._first is None:
            self._first = asyncio.get_running_loop().call_later(_KEPT_BACK_SECONDS, self._start)

    def _start(self) -> None:
        """Begin the answer to the caller: from here on nothing is tried again."""
        trail = self._trail
        if trail.started or self.whole.done():
            return
        if self._line is not None:
            trail.client.on_flow(self._line.pause, self._line.resume)
        trail.started = True
        trail.status = 200
        now = self._plugs.clock.monotonic_ns()
        elsewhere = max(0, self.first_byte_ns - self._sent_ns) // 1000
        taken = max(0, overhead_us(trail, now) - elsewhere)
        cap = self._leg.told_cap(self._hold.cap)
        trail.client.start(200, headers(trail, "text/event-stream; charset=utf-8", taken, None, cap))
        trail.client.write(b"".join(self.parts))
        self.parts.clear()
        self._leg.let_go()
        trail.let_go()


def _bad(error: BadAnswer | EventTooLong) -> BadAnswer:
    return error if isinstance(error, BadAnswer) else BadAnswer("an event is too long")
