"""The proxy that calls leave through: its address, and who is called without it (`HTTPS_PROXY`, `NO_PROXY`).

As curl and Go read these variables, with one difference: a provider on this machine is never called through a proxy.
"""

import re
from base64 import b64encode
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from clavero.domain.secret import Secret

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


class Proxy(Struct, frozen=True):
    """A proxy: `origin` as `scheme://host:port`, and the value of `Proxy-Authorization`, None where it wants none."""

    origin: str
    authorization: Secret | None = None

    @property
    def name(self) -> str:
        """Host and port, as a failure names it."""
        return self.origin.partition("://")[2]


class Bypass(Struct, frozen=True):
    """Who is called straight: names with all below them, addresses, networks, each with or without a port."""

    entries: tuple[str, ...] = ()

    def holds(self, host: str, port: int) -> bool:
        """Whether this host and port are called straight; the host as in a URL, without brackets."""
        return any(_matches(entry, host.lower().rstrip("."), port) for entry in self.entries)


class Outward(Struct, frozen=True):
    """How calls leave: a proxy for origins over TLS, one for those without, and who needs neither."""

    https: Proxy | None = None
    http: Proxy | None = None
    bypass: Bypass = Bypass()

    def proxy_for(self, host: str, port: int, *, tls: bool) -> Proxy | None:
        """The proxy that leads to an origin; None for a straight call."""
        proxy = self.https if tls else self.http
        return None if proxy is None or self.bypass.holds(host, port) else proxy


def read_proxy(text: str) -> Proxy | None:
    """A proxy out of `http://user:password@host:port`; None for nothing. `ValueError` never repeats what was given."""
    text = text.strip()
    if not text:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ValueError("is not http(s)://[user:password@]host:port") from None
    if parts.scheme not in _PORTS:
        raise ValueError(f"has the scheme {parts.scheme}; http and https proxies are spoken to")
    if not _HOST.fullmatch(host) or parts.path not in {"", "/"} or parts.query or parts.fragment or not port:
        raise ValueError("is not http(s)://[user:password@]host:port")
    shown = f"[{host}]" if ":" in host else host
    return Proxy(f"{parts.scheme}://{shown}:{port}", _authorization(parts.username, parts.password))


def read_bypass(text: str) -> Bypass:
    """The entries of `NO_PROXY`, between commas or blanks."""
    return Bypass(tuple(text.lower().replace(",", " ").split()))


def _authorization(user: str | None, password: str | None) -> Secret | None:
    if user is None:
        return None
    name, word = unquote(user), unquote(password or "")
    if _CONTROL.search(name.replace(" ", "")) or ":" in name:
        raise ValueError("has a user name that no proxy takes")
    return Secret("Basic " + b64encode(f"{name}:{word}".encode()).decode("ascii"))


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    wanted, given = _parted(entry)
    if given and given != str(port):
        return False
    try:
        address = ip_address(host)
    except ValueError:
        name = wanted.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith("." + name))
    try:
        return address in ip_network(wanted, strict=False)
    except ValueError:
        return False


def _parted(entry: str) -> tuple[str, str]:
    """Host and port of an entry; an IPv6 address has brackets where it has a port."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    host, colon, port = entry.rpartition(":")
    return (host, port) if colon and port.isdecimal() and ":" not in host else (entry, "")
