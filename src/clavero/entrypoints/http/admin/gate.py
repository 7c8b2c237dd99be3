"""What stands before every route of the admin listener: names it answers to, sizes, times, and headers of every answer.

A page of another site can have its own name lead to this machine (DNS rebinding) and then ask with the browser of who
sits here; the Host header still tells its name. It is compared as a whole with the few names that are ours, never
parsed into an address that something else is then decided by (CVE-2026-48710). There is no CORS: no other origin has
business here, and none is told why.
"""

import asyncio
import contextlib
import re

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clavero.domain.errors import BodyTooLarge, InvalidHeader, Problem, TlsRequired
from clavero.domain.tokens import base62
from clavero.entrypoints.http.admin.arrival import is_relayed
from clavero.entrypoints.http.admin.refusals import refused
from clavero.ports.clock import Dice

MOST_BYTES = 1024 * 1024
SECONDS = 10.0  # for a body to arrive
DRAINED_BYTES = 64 * 1024 * 1024  # of a body that is refused
_PORT = re.compile(r":[0-9]{1,5}", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class Terms(Struct, frozen=True):
    """What the gate holds requests to."""

    hosts: frozenset[str]
    most_bytes: int = MOST_BYTES
    seconds: float = SECONDS
    drained_bytes: int = DRAINED_BYTES


class Gate:
    """The outermost layer: pure ASGI, so that no answer leaves without its headers."""

    def __init__(self, app: ASGIApp, terms: Terms, dice: Dice) -> None:
        self._app = app
        self._terms = terms
        self._dice = dice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        request_id = "req_" + base62(int.from_bytes(self._dice.token(15)), 21)
        scope.setdefault("state", {})["request_id"] = request_id
        intake = _Intake(receive, self._terms, coming=sends_a_body(scope))
        reply = _Reply(send, request_id, intake, certain=is_certain(scope))
        problem = self._problem(scope)
        if problem is not None:
            await refused(Request(scope), problem)(scope, intake, reply)
            return
        try:
            await self._app(scope, intake, reply)
        except Exception as error:
            if not reply.begun:
                await refused(Request(scope), error)(scope, receive, reply)
            raise  # the server writes it down

    def _problem(self, scope: Scope) -> Problem | None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
            return InvalidHeader(name="Host", rule="one name or address, with or without a port")
        if scope.get("scheme") != "https" and not is_ours(hosts[0], self._terms.hosts):
            if is_relayed(scope):  # nobody sends the name of a proxy here by mistake
                return TlsRequired()
            return InvalidHeader(name="Host", rule=" or ".join(sorted(self._terms.hosts)))
        lengths = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-length"]
        if any(not _LENGTH.fullmatch(length) or int(length) > self._terms.most_bytes for length in lengths):
            return BodyTooLarge(max=f"{self._terms.most_bytes // 1024} KiB")
        return None


def sends_a_body(scope: Scope) -> bool:
    """Whether a body is on its way; one that waits for a 100 is not."""
    names = {name for name, _ in scope["headers"]}
    return b"expect" not in names and bool(names & {b"content-length", b"transfer-encoding"})


def is_certain(scope: Scope) -> bool:
    """Whether a browser may be told never to come without TLS: not for a name that all programs of a machine share."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").lower().rpartition(b":")
    name = (host[0] or host[2]).strip(b".")
    return bool(scope.get("scheme") == "https" and name != b"localhost" and not name.endswith(b".localhost"))


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header is one of these names, with or without a port."""
    lowered = host.lower()
    return any(
        lowered == name or (lowered.startswith(name) and _PORT.fullmatch(lowered[len(name) :])) for name in names
    )


class _Intake:
    """The body as it arrives: not too much and not too slowly. 413 and 408 are worded where all statuses are."""

    def __init__(self, receive: Receive, terms: Terms, *, coming: bool) -> None:
        self._receive = receive
        self._terms = terms
        self._coming = coming  # the caller sends, or has been told that it may
        self._bytes = 0
        self._deadline: float | None = None
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:  # what is left to hear is that the caller went
            return await self._receive()
        self._coming = True
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._terms.seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self._coming = False  # it was waited for long enough
            raise HTTPException(408) from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > self._terms.most_bytes:
            raise HTTPException(413)
        return message

    @property
    def unread(self) -> bool:
        """Whether more of a body comes than anybody has read."""
        return self._coming and not self._whole

    async def drain(self) -> None:
        """Throw away what still comes, within reason."""
        left = self._terms.drained_bytes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._terms.seconds):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


class _Reply:
    """The answer on its way out: its head is dressed, and known to have begun.

    An answer that comes before the end of the body is told at once; the connection ends only once the body has. An
    end before that would be a reset, and eat the answer of who is still writing.
    """

    def __init__(self, send: Send, request_id: str, intake: _Intake, *, certain: bool) -> None:
        self._send = send
        self._intake = intake
        self._certain = certain
        self._request_id = request_id.encode()
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = list(message.get("headers", ()))
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in _HEADERS.items() if name not in present]
            if self._certain:
                headers.append((b"strict-transport-security", b"max-age=31536000"))
            message["headers"] = [*headers, (b"x-request-id", self._request_id)]
        elif not message.get("more_body", False) and self._intake.unread:
            await self._send({**message, "more_body": True})
            await self._intake.drain()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
