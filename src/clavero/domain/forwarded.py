"""Who asks behind a proxy: what `X-Forwarded-*` says, as far as those who said it are trusted.

Every proxy appends the address it was called from at the right. So the list is walked from the right, past the proxies
that are trusted, to the first address that is not one of theirs; what stands left of it anybody may have written.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

Network = IPv4Network | IPv6Network

FOR, PROTO, HOST = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"
# Everything that is said of somebody else. From who is not trusted to say so, none of it is let in.
SAID = (FOR, PROTO, HOST, "forwarded", "x-real-ip")
_MOST = 32  # hops; nothing longer is walked
_LEAST_BITS = {4: 8, 6: 7}  # 10.0.0.0/8 and fc00::/7 are the widest that one house has


class Proxies(Struct, frozen=True):
    """The networks of the proxies before us, as `--behind-proxy` names them; none is: there is no proxy."""

    networks: tuple[Network, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.networks)

    def holds(self, address: str) -> bool:
        """Whether this address is one of theirs."""
        found = read(address)
        return found is not None and any(found in network for network in self.networks)

    def client(self, peer: str, said: str) -> str:
        """Whose request a trusted peer passes on, out of its `X-Forwarded-For`; the peer itself where it says nothing.

        An entry that is no address ends the walk at the last proxy that is known.
        """
        found = peer
        for entry in reversed(said.split(",")[-_MOST:]):
            address = read(entry)
            if address is None:
                return found
            found = str(address)
            if not self.holds(found):
                return found
        return found


def read_proxies(text: str) -> Proxies:
    """Networks out of a list such as `10.0.0.0/8, fd00::/8`; `ValueError` with the one that is none, or is too wide."""
    networks = []
    for entry in text.replace(",", " ").split():
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"{entry!r} is not a network such as 10.0.0.0/8") from None
        if network.prefixlen < _LEAST_BITS[network.version]:
            raise ValueError(f"{entry} is wider than a house; name the proxy's own network")
        networks.append(network)
    return Proxies(tuple(networks))


def read(text: str) -> IPv4Address | IPv6Address | None:
    """The address of an entry, which may have a port, brackets or a zone; IPv4 within IPv6 is IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found if isinstance(found, IPv4Address) else found.ipv4_mapped or found


def plain(peer: str) -> str:
    """A peer's address as everything here writes it: a dual-stack socket wraps IPv4 into IPv6."""
    return peer.removeprefix("::ffff:") if peer.startswith("::ffff:") and "." in peer else peer


def over_tls(said: str) -> bool:
    """Whether every hop of `X-Forwarded-Proto` was https; one in the clear was enough to listen in."""
    return bool(said) and all(hop.strip().lower() in {"https", "wss"} for hop in said.split(","))


def host_of(said: str) -> str:
    """The name that the nearest proxy says it was asked by."""
    return said.rpartition(",")[2].strip()
