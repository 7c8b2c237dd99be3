from ipaddress import ip_address

import pytest

from clavero.domain.addresses import may_call, network_of, network_of_name, read_address
from clavero.domain.credentials import Network

PLACES = [
    ("8.8.8.8", Network.PUBLIC),
    ("2606:4700::1111", Network.PUBLIC),
    ("::ffff:8.8.8.8", Network.PUBLIC),
    ("64:ff9b::808:808", Network.PUBLIC),
    ("127.0.0.1", Network.LOOPBACK),
    ("127.9.9.9", Network.LOOPBACK),
    ("::1", Network.LOOPBACK),
    ("::ffff:127.0.0.1", Network.LOOPBACK),
    ("64:ff9b::7f00:1", Network.LOOPBACK),
    ("2002:7f00:1::", Network.LOOPBACK),
    ("10.1.2.3", Network.PRIVATE),
    ("172.31.255.255", Network.PRIVATE),
    ("192.168.0.1", Network.PRIVATE),
    ("100.64.0.1", Network.PRIVATE),
    ("fd12::1", Network.PRIVATE),
    ("::ffff:10.0.0.1", Network.PRIVATE),
]
NEVER = [
    "169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "fe80::1",
    "168.63.129.16", "::ffff:168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
    "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize(("text", "network"), PLACES)
def test_an_address_has_its_network_class(text: str, network: Network) -> None:
    assert network_of(ip_address(text)) is network
    assert [one for one in Network if may_call(ip_address(text), one)] == [network]


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_called_however_they_are_written(text: str) -> None:
    assert network_of(ip_address(text)) is None
    assert not any(may_call(ip_address(text), one) for one in Network)


def test_names_that_say_where_they_lead() -> None:
    assert network_of_name("localhost") is Network.LOOPBACK
    assert network_of_name("x.localhost") is Network.LOOPBACK
    assert network_of_name("metadata.google.internal") is None
    assert network_of_name("api.example.com") is Network.PUBLIC


@pytest.mark.parametrize(
    "text", ["", "localhost", "1.2.3", "2130706433", "0x7f.1", "1.2.3.4.5", "01.2.3.4", "fe80::1%eth0x"]
)
def test_what_is_no_plain_address_is_a_name(text: str) -> None:
    assert read_address(text) is None or "%" in text


def test_a_zone_does_not_hide_a_link_local_address() -> None:
    address = read_address("fe80::1%eth0")
    assert address is not None
    assert network_of(address) is None
