"""Where a provider lives: its base URL, checked, and the origin that its keys are sealed for.

`https://api.example.com/v1/` becomes the base `https://api.example.com` and the origin `https://api.example.com:443`.
What is strange is refused, not mended: user info, query, fragment, dot segments, hosts that are numbers in disguise.
"""

import re

from msgspec import Struct

from clavero.domain.addresses import network_of, network_of_name, read_address
from clavero.domain.credentials import Network
from clavero.domain.refusals import InvalidValue

_LONGEST = 400
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]*)*)",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_FIELD = "base_url"


class Origin(Struct, frozen=True):
    """A base URL taken apart: what is stored, and whom its secrets may be sent to (`scheme://host:port`)."""

    base_url: str
    origin: str


def read_origin(base_url: str, network: Network) -> Origin:
    """The base URL as it is stored, ending before `/v1`, and its origin; `InvalidValue` with the rule it breaks."""
    found = _URL.fullmatch(base_url) if len(base_url) <= _LONGEST else None
    if found is None:
        raise InvalidValue(_FIELD, "http(s)://host[:port][/path], without user, query or fragment")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    _check_host(host, network)
    if scheme == "http" and network is Network.PUBLIC:
        raise InvalidValue(_FIELD, "https, unless the network is private or loopback", f"https://{host}")
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise InvalidValue(_FIELD, "a URL with a port from 1 to 65535")
    shown = host if port == _PORTS[scheme] else f"{host}:{port}"
    return Origin(f"{scheme}://{shown}{_path(found['path'])}", f"{scheme}://{host}:{port}")


def _check_host(host: str, network: Network) -> None:
    address = read_address(host.strip("[]"))
    if address is None and not _is_name(host.split(".")):
        raise InvalidValue(_FIELD, "a URL whose host is a name or an address")  # 0x7f.1 and 2130706433 are neither
    actual = network_of(address) if address else network_of_name(host)
    if actual is None:
        raise InvalidValue(_FIELD, "a host that may be called: link-local and metadata addresses never are")
    if actual is not network and (address or actual is Network.LOOPBACK):
        raise InvalidValue("network", f"{actual} for {host}", actual)


def _is_name(labels: list[str]) -> bool:
    return all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])


def _path(path: str) -> str:
    segments = path.rstrip("/").split("/")[1:]
    if any(segment in {"", ".", ".."} for segment in segments):
        raise InvalidValue(_FIELD, "a URL without empty or dot segments")
    if segments and segments[-1] == "v1":
        segments = segments[:-1]
    return "".join(f"/{segment}" for segment in segments)
