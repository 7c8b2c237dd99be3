"""How both listeners are reached: the addresses they are bound to, and the URLs that callers and this machine use."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

_WHOLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens on all is found at its own


class Reach(Struct, frozen=True, kw_only=True):
    """URLs without a slash at their end: for callers, and for programs on this machine, which need no resolver.

    `name` is what the certificate is checked for where this machine's own URL is used; "" is the URL's host.
    """

    gateway: str
    admin: str
    gateway_here: str
    admin_here: str
    name: str = ""


def read_host(text: str) -> str:
    """The address to listen on; `ValueError` for a name: which of its addresses is meant would be a guess."""
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise ValueError(f"is {text[:100]!r}; an address such as 127.0.0.1, 0.0.0.0 or :: is wanted") from None


def read_url(text: str) -> str:
    """A URL that callers use, without a slash at its end; "" stays so."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good, parts = False, urlsplit("")
    if not good or parts.username is not None or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise ValueError("is not http(s)://host[:port] alone")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_here(host: str) -> bool:
    """Whether an address to listen on is this machine's own and nobody else's."""
    return ip_address(read_host(host)).is_loopback


def same_machine(peer: str, own: str) -> bool:
    """Whether a peer is on this machine: loopback, or the very address that it called."""
    try:
        return peer == own or ip_address(peer).is_loopback
    except ValueError:
        return False


def reach_of(gateway: tuple[str, int, str], admin: tuple[str, int, str], names: Sequence[str] | None) -> Reach:
    """The URLs of both: of each its address, port and configured URL; names of the certificate, None without TLS."""
    scheme = "http" if names is None else "https"
    told, here = [], []
    for host, port, url in (gateway, admin):
        bound = read_host(host)
        own = _WHOLE.get(bound, bound)
        here.append(f"{scheme}://{_bracketed(own)}:{port}")
        told.append(read_url(url) or f"{scheme}://{_bracketed(_called(bound, own, names or ()))}:{port}")
    name = next((one for one in names or () if not one.startswith("*")), "")
    return Reach(gateway=told[0], admin=told[1], gateway_here=here[0], admin_here=here[1], name=name)


def _called(bound: str, own: str, names: Sequence[str]) -> str:
    """What a listener is called: by an address that its certificate says, else by the first name in there.

    One that is bound to all addresses is for others too, so a name that means this machine everywhere comes last.
    """
    whole = [name for name in names if not name.startswith("*")]
    if bound in whole:
        return bound
    for_others = [name for name in whole if name != "localhost" and not same_machine(name, "")]
    return next(iter(for_others if bound in _WHOLE else ()), own if own in whole or not whole else whole[0])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
