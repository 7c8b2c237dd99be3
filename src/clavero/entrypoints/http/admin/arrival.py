"""Who really asks, and how: settled before anything else of the admin listener looks at a request.

What a trusted proxy says of its caller becomes the request's own address, scheme and host. What anybody else says of
others is left out, so that nothing behind here can believe it.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from clavero.domain.forwarded import FOR, HOST, PROTO, SAID, Proxies, host_of, over_tls, plain

RELAYED = "relayed"  # in the state of a request: it came through a proxy, trusted or not
_NAMES = frozenset(name.encode() for name in SAID)


class Arrival:
    """Pure ASGI, and the outermost layer."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request as it was made."""
        await self._app(arrived(scope, self._proxies) if scope["type"] == "http" else scope, receive, send)


def arrived(scope: Scope, proxies: Proxies) -> Scope:
    """The request with the address, scheme and host that its caller used."""
    headers = [(name, value) for name, value in scope["headers"] if name not in _NAMES]
    said = _said(scope)
    address, port = scope.get("client") or ("", 0)
    peer = plain(address)
    trusted = proxies.holds(peer)
    state = {**scope.get("state", {}), RELAYED: trusted or bool(said)}
    changed = {**scope, "headers": headers, "state": state, "client": (peer, port)}
    if not trusted:
        return changed
    if PROTO in said:
        changed["scheme"] = "https" if over_tls(said[PROTO]) else "http"
    if HOST in said:
        changed["headers"] = [(name, value) for name, value in headers if name != b"host"]
        changed["headers"].append((b"host", host_of(said[HOST]).encode("latin-1")))
    changed["client"] = (proxies.client(peer, said.get(FOR, "")), 0 if FOR in said else port)
    return changed


def is_relayed(scope: Scope) -> bool:
    """Whether a request came through a proxy, trusted or not: then its peer does not ask for itself."""
    return bool(scope.get("state", {}).get(RELAYED, False))


def _said(scope: Scope) -> dict[str, str]:
    """What is said of others, repeated headers in their order."""
    said: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in _NAMES:
            key, text = name.decode("ascii"), value.decode("latin-1")
            said[key] = f"{said[key]}, {text}" if key in said else text
    return said
