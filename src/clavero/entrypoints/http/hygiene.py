"""What a request's head must look like before anybody believes it: the checks that the parser leaves to us.

The parser (llhttp, strict) already refuses a length beside chunked coding, bare line ends, folded lines and control
bytes. What it lets pass is refused here: see RFC 9112 sections 3 and 6, RFC 9110 section 7.2. Nothing is normalised:
a target that is not exactly in the path table is simply not there.
"""

import re
from collections.abc import Sequence
from typing import Final

from clavero.domain.errors import (
    BodyTooLarge,
    ExpectationFailed,
    HeadTooLarge,
    InvalidHeader,
    MalformedRequest,
    MethodNotAllowed,
    MissingHeader,
    Problem,
    UnsupportedMediaType,
)

METHODS: Final = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}

# One meaning only: a second value would let two readers of the same request disagree.
SINGLE: Final = frozenset(
    (
        "host", "authorization", "x-api-key", "api-key", "x-goog-api-key", "content-type", "content-length",
        "content-encoding", "transfer-encoding", "expect", "idempotency-key", "traceparent", "x-client-request-id",
        "anthropic-version", "user-agent",
    )
)  # fmt: skip
_OURS: Final = ("x-clavero-", "anthropic-", "openai-")

_FOLDED: Final = (
    *SINGLE,
    "accept", "accept-encoding", "accept-language", "anthropic-beta", "cache-control", "connection", "cookie",
    "openai-organization", "openai-project", "origin", "referer", "tracestate", "x-clavero-cache",
    "x-clavero-end-user", "x-clavero-feature", "x-clavero-route", "x-clavero-session", "x-clavero-tags",
    "x-clavero-timeout-ms", "x-forwarded-for", "x-stainless-arch", "x-stainless-async", "x-stainless-lang",
    "x-stainless-os", "x-stainless-package-version", "x-stainless-read-timeout", "x-stainless-retry-count",
    "x-stainless-runtime", "x-stainless-runtime-version",
)  # fmt: skip
# As they are written in practice, so that folding is one look-up.
KNOWN: Final = {spelt.encode(): name for name in _FOLDED for spelt in (name, name.title(), name.upper())}

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?").fullmatch
_SHOWN: Final = 100  # characters of a caller's value that go into a message


def fold(fields: Sequence[tuple[bytes, bytes]], most: int) -> dict[str, str]:
    """The header fields by lower-case name, a repeated one joined by commas; raises `HeadTooLarge`, `InvalidHeader`."""
    if len(fields) > most:
        raise HeadTooLarge(max=f"{most} header fields")
    headers: dict[str, str] = {}
    known = KNOWN
    for name, value in fields:
        folded = known.get(name) or name.decode().lower()
        text = value.decode() if value.isascii() else _beyond_ascii(folded, value)
        if folded in headers:
            text = _joined(folded, headers[folded], text)
        headers[folded] = text
    return headers


def check_line(method: bytes, target: bytes, version: str) -> tuple[str, str]:
    """The method and target of a request line; raises `MalformedRequest`, `MethodNotAllowed`."""
    if version not in {"1.1", "1.0"}:
        raise MalformedRequest(what=f"HTTP/{version} is not spoken here")
    if not target.startswith(b"/"):
        raise MalformedRequest(what="the target does not begin with /")
    if b"#" in target:
        raise MalformedRequest(what="the target has a fragment")
    path = target.decode("ascii", "replace")
    known = METHODS.get(method)
    if known is None:
        raise MethodNotAllowed(
            method=method.decode("ascii", "replace"),
            path=path.partition("?")[0][:_SHOWN],
            allowed=", ".join(METHODS.values()),
        )
    return known, path


def check_head(headers: dict[str, str], version: str) -> bool:
    """Whether the body comes in chunks; raises a `Problem` for a head that two readers could take differently."""
    host = headers.get("host")
    if host is None:
        raise MissingHeader(name="host")
    if not _HOST(host):
        raise InvalidHeader(name="host", rule="a name or address, with or without a port")
    coding = headers.get("transfer-encoding")
    if coding is not None and (version == "1.0" or coding.lower() != "chunked"):
        raise MalformedRequest(what="Transfer-Encoding must be chunked alone, over HTTP/1.1")
    encoding = headers.get("content-encoding")
    if encoding is not None and encoding.lower() != "identity":
        raise UnsupportedMediaType(value=f"with encoding {encoding[:_SHOWN]}")
    return coding is not None


def check_length(headers: dict[str, str], most: int) -> int:
    """The length that the head promises, 0 for none; raises `BodyTooLarge` before a byte of body is read."""
    length = int(headers.get("content-length") or 0)  # the parser has seen to it that these are digits
    if length > most:
        raise BodyTooLarge(max=in_words(most))
    return length


def expects_continue(headers: dict[str, str], version: str) -> bool:
    """Whether the caller waits for a 100 before it sends the body; raises `ExpectationFailed`."""
    expected = headers.get("expect")
    if expected is None or version == "1.0":  # RFC 9110 section 10.1.1: ignored from 1.0
        return False
    if expected.lower() != "100-continue":
        raise ExpectationFailed(value=expected[:_SHOWN])
    return True


def malformed(error: BaseException) -> Problem:
    """What the parser, or a callback below it, found wrong."""
    cause = error.__context__
    if isinstance(cause, Problem):
        return cause
    what = str(error.args[0]) if error.args else "it cannot be parsed"
    return MalformedRequest(what=what[:_SHOWN])


def in_words(size: int) -> str:
    """A number of bytes as people say it."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"


def _beyond_ascii(name: str, value: bytes) -> str:
    if name in SINGLE or name.startswith(_OURS):
        raise InvalidHeader(name=name, rule="ASCII")
    return value.decode("latin-1")


def _joined(name: str, first: str, second: str) -> str:
    if name in SINGLE or name.startswith("x-clavero-"):
        raise InvalidHeader(name=name, rule="given once")
    return f"{first}; {second}" if name == "cookie" else f"{first}, {second}"
