"""Connections that leave through a proxy: CONNECT, then TLS with the provider itself, end to end.

The proxy learns host and port and nothing more. What goes wrong before its answer is the proxy's, what goes wrong
behind it the provider's, and each is told as such.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import Struct

from clavero.adapters.upstreams.egress import Origin, parse
from clavero.domain.calls import ProxyFailed
from clavero.domain.proxies import Proxy
from clavero.domain.secret import Secret

P = TypeVar("P", bound=asyncio.Protocol)

_MOST: Final = 16 * 1024  # bytes of a proxy's answer
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: ([^\r\n]{0,80})[^\r\n]*)?\r\n").match


class Via(Struct, frozen=True):
    """A proxy as a place to connect to."""

    origin: Origin
    authorization: Secret | None = None

    @property
    def name(self) -> str:
        """Host and port."""
        return f"{self.origin.host}:{self.origin.port}"


def via(proxy: Proxy | None) -> Via | None:
    """A proxy as a place to connect to; None for a straight call."""
    return None if proxy is None else Via(parse(proxy.origin), proxy.authorization)


def greeting(origin: Origin, authorization: Secret | None) -> bytes:
    """What asks a proxy for a tunnel (RFC 9110 section 9.3.6)."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    place = f"{host}:{origin.port}"
    return f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n{credentials(authorization)}\r\n".encode("ascii")


def credentials(authorization: Secret | None) -> str:
    """The header line that shows a proxy who we are; "" where it wants none."""
    return f"proxy-authorization: {authorization.reveal()}\r\n" if authorization else ""


async def dig(address: str, way: Via, origin: Origin, tls: ssl.SSLContext, make: Callable[[], P]) -> P:
    """A protocol that speaks TLS with an origin through a proxy at this address; raises `ProxyFailed`, `OSError`."""
    loop = asyncio.get_running_loop()
    transport, answer = await reach(address, way, tls, _Answer)
    try:
        transport.write(greeting(origin, way.authorization))
        await answer.came
        secured = await loop.start_tls(transport, answer, tls, server_hostname=origin.host)
    except BaseException:
        transport.abort()
        raise
    if secured is None or secured.is_closing():
        raise ConnectionResetError("the connection ended with its handshake")
    protocol = make()
    secured.set_protocol(protocol)
    protocol.connection_made(secured)
    return protocol


async def reach(address: str, way: Via, tls: ssl.SSLContext, make: Callable[[], P]) -> tuple[asyncio.Transport, P]:
    """A connection to the proxy itself; raises `ProxyFailed`."""
    secure = way.origin.tls
    try:
        return await asyncio.get_running_loop().create_connection(
            make, address, way.origin.port, ssl=tls if secure else None,
            server_hostname=way.origin.host if secure else None,
        )  # fmt: skip
    except ssl.SSLCertVerificationError as error:
        raise ProxyFailed(f"its certificate is not trusted: {error.verify_message}") from None
    except OSError as error:
        raise ProxyFailed(f"it cannot be reached: {error.strerror or type(error).__name__}") from None


class _Answer(asyncio.Protocol):
    """What the proxy says to CONNECT. `came` ends with the tunnel, or with `ProxyFailed`."""

    def __init__(self) -> None:
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got = b""

    def data_received(self, data: bytes) -> None:
        if self.came.done():  # behind its answer, and before anybody asked
            return
        self._got += data
        head, end, rest = self._got.partition(b"\r\n\r\n")
        if end:
            self._settle(_judged(head + b"\r\n", rest))
        elif len(self._got) > _MOST:
            self._settle(ProxyFailed("it answered without an end"))

    def eof_received(self) -> None:
        self._settle(ProxyFailed("it ended the connection"))

    def connection_lost(self, error: Exception | None) -> None:
        self._settle(ProxyFailed("it ended the connection" if error is None else "the connection to it was lost"))

    def _settle(self, failure: ProxyFailed | None) -> None:
        if self.came.done():
            return
        if failure is None:
            self.came.set_result(None)
        else:
            self.came.set_exception(failure)


def _judged(head: bytes, rest: bytes) -> ProxyFailed | None:
    said = _STATUS(head)
    if said is None:
        return ProxyFailed("it does not speak HTTP")
    status, words = said[1].decode(), (said[2] or b"").decode("latin-1")
    if not status.startswith("2"):
        return ProxyFailed(f"it answered {status} {words}".rstrip())
    return ProxyFailed("it spoke before the provider could") if rest else None
