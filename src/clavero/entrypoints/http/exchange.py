"""The way back to the caller of one exchange: `ports.Client`. Status and head are decided once.

Each exchange has an object of its own, so that whoever still holds one that has ended cannot write into the next on the
same connection: what comes after the end is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from clavero.entrypoints.http.answer import BODILESS, LAST_CHUNK, Headers, framing, head

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from clavero.ports.client import Request

_OPEN: Final = 0  # nothing is decided
_ENDED: Final = 1
_STARTED: Final = 2  # a streamed answer whose head has not left
_STREAMING: Final = 3

_CHUNKED: Final = -1
_TO_THE_END: Final = -2
_JOINED: Final = 65_536  # bytes up to which a head and its body are worth a copy to leave in one write


class Wire(Protocol):
    """What an exchange needs of its connection."""

    @property
    def transport(self) -> asyncio.WriteTransport:
        """Where the bytes go."""

    @property
    def paused(self) -> bool:
        """True while the caller reads too slowly."""

    @property
    def date(self) -> str:
        """The date as headers say it."""

    @property
    def stays(self) -> bool:
        """False where the connection ends with this answer, whatever the caller wants."""

    def answered(self, exchange: Exchange) -> None:
        """The answer is written whole."""

    def broken(self, *, clean: bool) -> None:
        """The answer was cut; with `clean`, what was written still arrives."""


class Exchange:
    """One answer under way. `keep`: the connection may carry another; `old`: the caller speaks HTTP/1.0."""

    __slots__ = ("_head", "_pause", "_resume", "_state", "_wire", "begun", "keep", "old", "request", "returned", "task")

    def __init__(self, wire: Wire, request: Request, *, keep: bool, old: bool) -> None:
        self._wire = wire
        self.request = request
        self.keep = keep
        self.old = old
        self._state = _OPEN
        self._head = b""
        self._pause: Callable[[], None] | None = None
        self._resume: Callable[[], None] | None = None
        self.task: asyncio.Task[None] | None = None
        self.begun = False  # its task has run
        self.returned = False  # its task has ended

    @property
    def ended(self) -> bool:
        """Whether the answer is whole, cut, or wanted by nobody."""
        return self._state == _ENDED

    @property
    def opened(self) -> bool:
        """Whether anything is decided."""
        return self._state != _OPEN

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole answer at once."""
        if self._state != _OPEN:
            return
        self._state = _ENDED
        keep = self._decide()
        if status in BODILESS:
            top = head(status, headers, self._wire.date, framing(_TO_THE_END, keep=keep))
            body = b""
        else:
            top = head(status, headers, self._wire.date, framing(len(body), keep=keep))
        self._put(top, b"" if self.request.method == "HEAD" else body)
        self._wire.answered(self)

    def start(self, status: int, headers: Headers) -> None:
        """Begin a streamed answer; the head leaves with the first chunk."""
        if self._state != _OPEN:
            return
        self._state = _STARTED
        length = _TO_THE_END if self.old else _CHUNKED
        self._head = head(status, headers, self._wire.date, framing(length, keep=self._decide()))

    def write(self, data: bytes) -> None:
        """One more piece of a streamed answer; an empty one is none, as it would end the answer."""
        state = self._state
        if not data or state < _STARTED or self.request.method == "HEAD":
            return
        if not self.old:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if state == _STARTED:
            self._state = _STREAMING
            data = self._head + data
            self._head = b""
        self._wire.transport.write(data)

    def finish(self) -> None:
        """End a streamed answer cleanly."""
        state = self._state
        if state < _STARTED:
            return
        self._state = _ENDED
        end = b"" if self.old or self.request.method == "HEAD" else LAST_CHUNK
        if self._head or end:
            self._wire.transport.write(self._head + end)
        self._wire.answered(self)

    def cut(self) -> None:
        """End the connection so that the caller can tell: no last chunk, and a reset where only the end would tell."""
        state = self._state
        if state == _ENDED:
            return
        self._state = _ENDED
        self.keep = False
        self._wire.broken(clean=not (self.old and state == _STREAMING))

    def on_flow(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Call these when the caller reads too slowly, and when it has caught up."""
        self._pause, self._resume = pause, resume
        if self._wire.paused and self._state != _ENDED:
            pause()

    def flow(self, *, paused: bool) -> None:
        """The connection cannot take more for now, or can again."""
        tell = self._pause if paused else self._resume
        if tell is not None and self._state != _ENDED:
            tell()

    def leave(self) -> None:
        """The caller has gone: the task is cancelled, and nobody reads what it still writes."""
        self._state = _ENDED
        self.drop()
        if self.task is not None:
            self.task.cancel()

    def drop(self) -> None:
        """Let go of what refers back to here."""
        self._pause = self._resume = None
        self._head = b""

    def _decide(self) -> bool:
        self.keep = self.keep and self._wire.stays
        return self.keep

    def _put(self, top: bytes, body: bytes) -> None:
        if len(body) <= _JOINED:
            self._wire.transport.write(top + body)
        else:
            self._wire.transport.write(top)
            self._wire.transport.write(body)
