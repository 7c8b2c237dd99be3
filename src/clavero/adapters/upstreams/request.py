"""The bytes of a request to a provider. What could begin a line of its own is refused, not mended."""

import re
from typing import Final

from clavero.domain.calls import Unsendable
from clavero.ports.upstreams import Outgoing

_METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))  # a HEAD's answer is framed by rules of its own
_TARGET: Final = re.compile(r"/[!-~]*").fullmatch


def written(outgoing: Outgoing, authority: str, proxied: str | None = None) -> bytes:
    """Head and body in one piece, for this Host; raises `Unsendable`.

    `proxied` is for a proxy that passes on requests in the clear: the header lines that are its own. It reads the whole
    URL in the first line (RFC 9112 section 3.2.2).
    """
    if outgoing.method not in _METHODS:
        raise Unsendable(f"the method {outgoing.method[:20]!r} is not sent")
    if not _TARGET(outgoing.target):
        raise Unsendable("the target is not one of HTTP")
    fields = "".join([f"{name}: {value}\r\n" for name, value in outgoing.headers])
    lines = len(outgoing.headers)
    if not fields.isascii() or fields.count("\n") != lines or fields.count("\r") != lines or "\0" in fields:
        raise Unsendable("a header holds what HTTP cannot carry")  # which one is not said: it may be the key
    length = f"content-length: {len(outgoing.body)}\r\n" if outgoing.body or outgoing.method != "GET" else ""
    target = outgoing.target if proxied is None else f"http://{authority}{outgoing.target}"
    top = f"{outgoing.method} {target} HTTP/1.1\r\nhost: {authority}\r\n{proxied or ''}{fields}{length}\r\n"
    return top.encode("ascii") + outgoing.body
