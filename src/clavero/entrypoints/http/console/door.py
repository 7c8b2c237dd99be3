"""Who may enter: the session cookie, the peers and names that plain HTTP allows, and proof that a form is ours.

Over TLS the cookie is `__Host-clavero`. Without TLS the console serves this machine alone: the peer must be loopback,
and so must the name it was asked by, or a page elsewhere could have its name lead here (DNS rebinding).
"""

import ipaddress
from hmac import compare_digest

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from clavero.control.commit import Desk
from clavero.control.signin import SESSION_NS, whose_session
from clavero.domain.access import Actor, Session
from clavero.domain.refusals import NotSignedIn, Refusal
from clavero.domain.secret import Secret
from clavero.entrypoints.http.admin.arrival import is_relayed

_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Stranger(Refusal):
    """The console does not serve this peer, this name or this origin."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why, fix)


class Door(Struct, frozen=True):
    """Who is let into the console, and how a browser shows that it was."""

    desk: Desk

    def check_peer(self, request: Request) -> None:
        """Refuse other machines and other names where there is no TLS."""
        if secure(request):
            return
        if is_relayed(request.scope):
            raise Stranger("The proxy before the console did not say https", "X-Forwarded-Proto: https")
        if not _loopback(request.client.host if request.client else ""):
            raise Stranger("Without TLS the console serves this machine alone", "ssh -L 4142:127.0.0.1:4142 HOST")
        if _name(request) not in _OWN_NAMES:
            raise Stranger("Without TLS the console answers to its own address alone", "http://127.0.0.1:4142")

    def check_origin(self, request: Request) -> None:
        """Refuse a form that another site sent."""
        origin = request.headers.get("origin", "")
        if not origin and request.headers.get("sec-fetch-site") == "same-origin":
            return
        scheme = "https" if secure(request) else "http"
        if origin != f"{scheme}://{request.headers.get('host', '')}":
            raise Stranger("Another page sent this form", "Open the console itself and repeat it there")

    async def enter(self, request: Request) -> tuple[Actor, Session]:
        """Whose session this is; `NotSignedIn` for a stranger."""
        cookie = request.cookies.get(cookie_of(request), "")
        if not cookie:
            raise NotSignedIn
        return await whose_session(self.desk, cookie, peer(request))

    def let_in(self, request: Request, response: Response, secret: Secret) -> None:
        """Hand the session to the browser."""
        response.set_cookie(
            cookie_of(request),
            secret.reveal(),
            max_age=SESSION_NS // 1_000_000_000,
            path="/",
            secure=secure(request),
            httponly=True,
            samesite="strict",
        )

    def let_out(self, request: Request, response: Response) -> None:
        """Take the session from the browser."""
        response.delete_cookie(cookie_of(request), path="/", secure=secure(request), httponly=True, samesite="strict")


def secure(request: Request) -> bool:
    """Whether the browser speaks TLS: with us, or with a trusted proxy before us."""
    return bool(request.scope.get("scheme") == "https")


def cookie_of(request: Request) -> str:
    """The name of the session cookie; over TLS one that no other host of the domain can set."""
    return "__Host-clavero" if secure(request) else "clavero"


def peer(request: Request) -> str:
    """The address that asks."""
    return request.client.host if request.client else ""


def check_form(session: Session, token: str) -> None:
    """Refuse a form that did not come from a page of this session."""
    if not compare_digest(token.encode(), session.csrf.encode()):
        raise Stranger("This form belongs to another session", "Load the page again and repeat it")


def own_path(wanted: str) -> str:
    """A place to go to after signing in: a path of ours, else Home."""
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours and "\\" not in wanted else "/"


def _name(request: Request) -> str:
    """The name in the Host header; what follows it may be a port alone."""
    name, colon, port = request.headers.get("host", "").lower().rpartition(":")
    return name if colon and port.isdecimal() else f"{name}{colon}{port}"


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
