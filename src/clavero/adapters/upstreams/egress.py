"""Where calls may go: the name is resolved here, the address is checked here, and to that address alone we connect.

So a name that changes between the check and the connection changes nothing. Addresses of clouds' metadata services and
of no single host are refused whatever a provider's entry says, in every spelling that IPv6 has for them.
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from msgspec import Struct

from clavero.domain.calls import AddressRefused, ConnectFailed, ProxyFailed
from clavero.domain.credentials import Network
from clavero.ports.clock import Ticker

Address = IPv4Address | IPv6Address

_PORTS: Final = {"https": 443, "http": 80}
_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?").fullmatch

# Metadata and platform services outside the link-local range: AWS and GCP over IPv6, Alibaba, Azure, Oracle.
_METADATA: Final = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
_SHARED: Final = ip_network("100.64.0.0/10")  # carrier-grade NAT (RFC 6598): some companies' private network
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1, deprecated

_CACHED_SECONDS: Final = 30.0


class Origin(Struct, frozen=True):
    """Scheme, host and port of a provider; `host` is as it stands in a URL, without brackets."""

    tls: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As the Host header says it: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"


def parse(origin: str) -> Origin:
    """An origin out of `scheme://host[:port]`; raises `ValueError` for anything more or less."""
    match = _ORIGIN(origin)
    if match is None:
        raise ValueError(f"{origin[:200]!r} is not scheme://host:port")
    scheme, host, port = match.groups()
    number = int(port) if port else _PORTS[scheme]
    if not 0 < number < 65536:
        raise ValueError(f"{number} is no port")
    return Origin(scheme == "https", host.strip("[]").lower(), number)


def is_allowed(address: Address, network: Network) -> bool:
    """Whether a provider of this network class may have this address."""
    address = _unwrapped(address)
    if _is_never(address):
        return False
    if network is Network.LOOPBACK:
        return address.is_loopback
    inside = address.is_private or (isinstance(address, IPv4Address) and address in _SHARED)
    if network is Network.PRIVATE:
        return inside and not address.is_loopback
    return address.is_global and not inside


def check_literal(origin: Origin, network: Network) -> None:
    """Refuse an address that this network class does not have; of a name, only the proxy will know the address."""
    try:
        address = ip_address(origin.host)
    except ValueError:
        return
    if not is_allowed(address, network):
        raise AddressRefused(f"{origin.host} is not {network.value}")


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, IPv4Address):
        return address
    inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inside is not None:
        return inside
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_never(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not address.is_loopback)
        or address in _METADATA
        or (isinstance(address, IPv4Address) and int(address) >> 24 == 0)  # "this network": some kernels take it for us
    )


class Resolver:
    """Names to addresses, in the loop's executor, remembered for a short while; two askers share one look-up."""

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
        self._asked: dict[tuple[str, int], asyncio.Task[tuple[str, ...]]] = {}

    async def proxy_addresses(self, origin: Origin) -> Sequence[str]:
        """The addresses of a proxy, best first; raises `ProxyFailed`.

        The operator who named it said where calls leave, so it may be public, private or on this machine: no caller
        and no provider's entry has a part in it. The addresses that are never called are refused here too.
        """
        try:
            found = await self._resolve(origin.host, origin.port)
        except ConnectFailed as error:
            raise ProxyFailed(error.detail) from None
        allowed = [text for text in found if not _is_never(_unwrapped(ip_address(text.partition("%")[0])))]
        if not allowed:
            raise ProxyFailed(f"{origin.host} is {', '.join(found[:3])}, which is never called")
        return allowed

    async def addresses(self, origin: Origin, network: Network) -> Sequence[str]:
        """The allowed addresses of an origin, best first; raises `AddressRefused`, `ConnectFailed`."""
        found = await self._resolve(origin.host, origin.port)
        allowed = [text for text in found if is_allowed(ip_address(text.partition("%")[0]), network)]
        if not allowed:
            raise AddressRefused(f"{origin.host} is {', '.join(found[:3])}, which is not {network.value}")
        return allowed

    def forget(self, origin: Origin) -> None:
        """Ask again next time: connecting failed."""
        self._known.pop((origin.host, origin.port), None)

    async def _resolve(self, host: str, port: int) -> tuple[str, ...]:
        try:
            return (str(ip_address(host)),)
        except ValueError:
            pass
        key = (host, port)
        known = self._known.get(key)
        if known is not None and known[0] > self._ticker.now:
            return known[1]
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.get_running_loop().create_task(self._ask(host, port))
        # Shielded: the one who asked first may give up, the others still wait for it.
        return await asyncio.shield(task)

    async def _ask(self, host: str, port: int) -> tuple[str, ...]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(f"{host} cannot be resolved: {error}") from None
        finally:
            self._asked.pop((host, port), None)
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        self._known[host, port] = (self._ticker.now + _CACHED_SECONDS, addresses)
        return addresses
