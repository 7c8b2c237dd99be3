"""Server-sent events on their way through: whole events go on, one read at a time, and are read as they pass.

Sans-IO. A caller never sees a torn event, an event that is no JSON (it would end the official clients), or one that
was asked for on its behalf; and where the provider breaks off with an error nothing more goes on, so that the
gateway's own words are the last. Everything else goes on byte for byte, with the provider's own line ends, comments and
names. Cutting the same bytes into other reads changes nothing.
"""

import re

from clavero.domain.endpoints import Endpoint
from clavero.wire.answer import UNREADABLE, Stream, member
from clavero.wire.body import Tree, encode

MOST_HELD = 16 * 1024 * 1024  # bytes of one event; images come within one
_BOUNDARY = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z)){2}")
_LINES = re.compile(rb"\r\n|\n|\r")
_DATA = b"data: "
_END = b"\n\n"


class EventTooLong(Exception):
    """An event of a stream is longer than anybody sends."""


class Splitter:
    """Cuts a stream into events, each with the blank line that ends it."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are whole now."""
        if not self.held and data.endswith(_END) and b"\r" not in data and b"\n\n\n" not in data:
            return [event + _END for event in data[:-2].split(_END)]
        seen = max(0, len(self.held) - 3)  # a boundary may have begun before this read
        self.held += data
        if len(self.held) > MOST_HELD:
            raise EventTooLong
        events, start = [], 0
        for end in (match.end() for match in _BOUNDARY.finditer(self.held, seen)):
            events.append(bytes(self.held[start:end]))
            start = end
        del self.held[:start]
        return events

    def end(self) -> bytes:
        """What came after the last boundary."""
        rest = bytes(self.held)
        self.held.clear()
        return rest


class Scanner:
    """Reads a stream into `stream` as it passes and says what of it goes on to the caller."""

    __slots__ = ("_splitter", "skipped", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.skipped = 0  # events that were no JSON
        self._splitter = Splitter()

    def feed(self, data: bytes) -> bytes:
        """Take one read; the whole events to pass on, perhaps none. Raises `EventTooLong`."""
        if not self._splitter.held and (payload := _single(data)):  # as nearly all reads are
            return data if self._passes(payload) else b""
        events = self._splitter.feed(data)
        return b"".join([event for event in events if self._passes(_single(event) or data_of(event))])

    def end(self) -> bytes:
        """The connection has ended: a last event without its blank line still counts if it is one."""
        rest = self._splitter.end().rstrip(b"\r\n") + _END
        payload = data_of(rest)
        return rest if payload and self._passes(payload) else b""

    def _passes(self, payload: bytes) -> bool:
        if not payload:
            return True
        try:
            if not payload.isascii():
                payload.decode()  # members of no interest are not looked at by the reader
            return self.stream.read(payload) and self.stream.error is None
        except UNREADABLE:
            self.skipped += 1
            return False


def data_of(event: bytes) -> bytes:
    """The data of an event; empty for comments and names alone."""
    lines = [line[5:].removeprefix(b" ") for line in _LINES.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines)


def _single(data: bytes) -> bytes:
    """The data of a read that is exactly one event in its usual form, perhaps named; empty for all others."""
    start = 6
    if not data.startswith(_DATA):
        start = data.find(b"\n") + 7
        if start < 14 or not data.startswith(b"event: ") or not data.startswith(_DATA, start - 6):
            return b""
    if data.find(b"\n", start) != len(data) - 2 or not data.endswith(_END) or b"\r" in data:
        return b""
    return data[start:-2]


def event(tree: Tree, name: str = "") -> bytes:
    """One event that carries this as JSON."""
    return (b"event: %b\n" % name.encode() if name else b"") + _DATA + encode(tree) + _END


def error_event(endpoint: Endpoint, body: Tree) -> bytes:
    """An error body of the caller's dialect as the last events of a stream that has begun.

    Where the format knows a failed end it is told too, since some clients wait for it and do not know the other.
    """
    if endpoint is Endpoint.MESSAGES:
        return event(body, "error")
    if endpoint is not Endpoint.RESPONSES:
        return event(body)
    error = body.get("error")
    short = {name: member(error, name) for name in ("code", "message")}
    failed = {"object": "response", "status": "failed", "error": short}
    told_failed = event({"type": "response.failed", "sequence_number": 0, "response": failed}, "response.failed")
    return told_failed + event({"type": "error", "sequence_number": 0, **short, "param": None, **body}, "error")
