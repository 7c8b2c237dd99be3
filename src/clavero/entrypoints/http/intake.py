"""Bytes in, one whole and checked request out. It knows no socket and no time.

Whatever is not a clean request is raised as a `Problem`; after that nothing more may be fed.
"""

from typing import Final

import httptools

from clavero.domain.errors import BodyTooLarge, HeadTooLarge, MalformedRequest
from clavero.entrypoints.http.edge import Limits
from clavero.entrypoints.http.hygiene import (
    check_head,
    check_length,
    check_line,
    expects_continue,
    fold,
    in_words,
    malformed,
)
from clavero.ports.client import Request

_SLACK: Final = 4096  # bytes of chunk sizes and their extensions, beside as many as there are of the body


class _Pipelined(Exception):
    """A second request began behind the first."""


class Intake:
    """One request after the other of one connection. `headed`: its head is good; `whole`: it may be taken.

    `keep`: another may follow; `old`: it speaks HTTP/1.0; `waits`: it sends no body before it has seen a 100.
    """

    __slots__ = (
        "_chunked", "_fields", "_headers", "_limits", "_method", "_parser", "_path", "_pieces", "_raw", "_seen",
        "_target", "headed", "keep", "old", "size", "waits", "whole",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self.reset()

    def reset(self) -> None:
        """Nothing of a request has come."""
        self._fields: list[tuple[bytes, bytes]] = []
        self._headers: dict[str, str] | None = None
        self._pieces: list[bytes] = []
        self._target = b""
        self._path = self._method = ""
        self._seen = self._raw = 0  # bytes of the head's reads; bytes of a chunked body with all that is around it
        self.size = 0  # bytes of body
        self.headed = self.whole = self.keep = self.old = self.waits = self._chunked = False

    def close(self) -> None:
        """Let go of the parser, which refers back to here."""
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Take what came; raises the `Problem` with it. What follows a whole request is thrown away."""
        parser = self._parser
        if parser is None:
            return
        try:
            self._feed(parser, data)
        except httptools.HttpParserError as error:
            if not self.whole:
                raise malformed(error) from None
            self.keep = False
        if self._chunked and self._raw > 2 * self.size + _SLACK:
            raise MalformedRequest(what="chunk extensions are not taken")

    def take(self, identity: str, peer: str, at_ns: int, started_ns: int) -> Request:
        """The whole request."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return Request(identity, self._method, self._path, self._headers or {}, body, peer, at_ns, started_ns)

    def known(self, identity: str, peer: str, at_ns: int, started_ns: int) -> Request | None:
        """As much as is known of a request that is refused; None where not even its target came."""
        if not self._target:
            return None
        path = self._path or self._target.decode("ascii", "replace")
        return Request(identity, self._method, path, self._headers or {}, b"", peer, at_ns, started_ns)

    # --- what the parser calls

    def on_message_begin(self) -> None:
        """A request begins; never behind one that has not been answered."""
        if self.whole:
            raise _Pipelined

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._target = self._target + url if self._target else url
        if len(self._target) > self._limits.target_bytes:
            raise HeadTooLarge(max=f"{in_words(self._limits.target_bytes)} of target")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field of the head. Trailers come here too: they could say what the head did not."""
        if self.headed:
            raise MalformedRequest(what="trailers are not taken")
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Believe the head, or refuse before a byte of the body is read."""
        parser, limits = self._parser, self._limits
        if parser is None:
            return
        version = parser.get_http_version()
        headers = self._headers = fold(self._fields, limits.fields)
        self._method, self._path = check_line(parser.get_method(), self._target, version)
        if parser.should_upgrade():
            raise MalformedRequest(what="upgrades are not offered")
        self._chunked = check_head(headers, version)
        length = check_length(headers, limits.body_bytes)
        self.old = version == "1.0"
        self.keep = not self.old and parser.should_keep_alive()
        self.headed = True
        if "expect" in headers:
            self.waits = expects_continue(headers, version) and (length > 0 or self._chunked)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.size += len(body)
        if self.size > self._limits.body_bytes:
            raise BodyTooLarge(max=in_words(self._limits.body_bytes))
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.whole = True

    def _feed(self, parser: httptools.HttpRequestParser, data: bytes) -> None:
        size = len(data)
        if self.headed:
            self._raw += size
            parser.feed_data(data)
            return
        room = self._limits.head_bytes - self._seen
        self._seen += size
        if size <= room:
            parser.feed_data(data)
        else:  # counted before it is fed: the parser takes heads of any length, in quadratic time
            parser.feed_data(data[:room])
            self._demand_head()
            parser.feed_data(data[room:])
        if self._chunked:
            self._raw = size - (data.find(b"\r\n\r\n") + 4)

    def _demand_head(self) -> None:
        if not self.headed:
            raise HeadTooLarge(max=in_words(self._limits.head_bytes))
