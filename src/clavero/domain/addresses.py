"""Which addresses a provider may have: by network class, and some never, whatever anybody configured.

Never: link-local, the metadata services of the clouds, what means every host, and what no host can have. An address
that wraps another (IPv4 in IPv6, NAT64, 6to4) is what it wraps.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from clavero.domain.credentials import Network

Address = IPv4Address | IPv6Address

# Metadata services that are not link-local: Azure's host agent, Alibaba, Oracle, AWS on IPv6.
_METADATA = frozenset(map(ip_address, ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
_NAT64 = IPv6Network("64:ff9b::/96")


def read_address(text: str) -> Address | None:
    """The address that a host literally is, IPv6 without brackets; None for a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def network_of(address: Address) -> Network | None:
    """The network class of an address; None where no call may ever go."""
    address = _wrapped(address)
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return None
    if address.is_loopback:
        return Network.LOOPBACK
    if any(address in network for network in _PRIVATE if network.version == address.version):
        return Network.PRIVATE
    return Network.PUBLIC if address.is_global else None


def may_call(address: Address, network: Network) -> bool:
    """Whether a provider of this network class may have this address."""
    return network_of(address) is network


def network_of_name(host: str) -> Network | None:
    """What a host name alone says: loopback for localhost, None for a metadata service, public if it says nothing."""
    if host in _METADATA_NAMES:
        return None
    return Network.LOOPBACK if host == "localhost" or host.endswith(".localhost") else Network.PUBLIC


def _wrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
