import socket
from ipaddress import ip_address
from typing import Any

import pytest

from clavero.adapters.ticker import LoopTicker
from clavero.adapters.upstreams.egress import Resolver, is_allowed, parse
from clavero.domain.calls import AddressRefused, ConnectFailed
from clavero.domain.credentials import Network
from clavero.testing.clock import StoppedClock

PUBLIC, PRIVATE, LOOPBACK = Network.PUBLIC, Network.PRIVATE, Network.LOOPBACK


@pytest.mark.parametrize(
    ("origin", "tls", "host", "port", "authority"),
    [
        ("https://api.openai.com:443", True, "api.openai.com", 443, "api.openai.com"),
        ("https://API.OpenAI.com", True, "api.openai.com", 443, "api.openai.com"),
        ("http://127.0.0.1:11434", False, "127.0.0.1", 11434, "127.0.0.1:11434"),
        ("http://[::1]:8080/", False, "::1", 8080, "[::1]:8080"),
        ("http://vllm_1:80", False, "vllm_1", 80, "vllm_1"),
    ],
)
def test_an_origin_is_scheme_host_and_port(origin: str, tls: bool, host: str, port: int, authority: str) -> None:
    parsed = parse(origin)
    assert (parsed.tls, parsed.host, parsed.port, parsed.authority) == (tls, host, port, authority)


@pytest.mark.parametrize(
    "origin",
    ["", "ftp://a", "https://", "https://a/b", "https://u:p@a", "https://a:0", "https://a:70000", "https://a?b", "a:1"],
)
def test_anything_more_or_less_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse(origin)


@pytest.mark.parametrize(
    ("address", "classes"),
    [
        ("8.8.8.8", [PUBLIC]),
        ("2606:4700::1111", [PUBLIC]),
        ("10.1.2.3", [PRIVATE]),
        ("172.16.0.1", [PRIVATE]),
        ("192.168.1.1", [PRIVATE]),
        ("100.64.0.1", [PRIVATE]),
        ("fd12::1", [PRIVATE]),
        ("127.0.0.1", [LOOPBACK]),
        ("127.8.8.8", [LOOPBACK]),
        ("::1", [LOOPBACK]),
        ("::ffff:127.0.0.1", [LOOPBACK]),
        ("::ffff:10.0.0.1", [PRIVATE]),
        ("::ffff:8.8.8.8", [PUBLIC]),
        ("64:ff9b::8.8.8.8", [PUBLIC]),
        ("64:ff9b::10.0.0.1", [PRIVATE]),
        ("::127.0.0.1", [LOOPBACK]),
        ("2002:7f00:1::", [LOOPBACK]),
    ],
)
def test_an_address_belongs_to_one_network_class_however_it_is_spelt(address: str, classes: list[Network]) -> None:
    assert [network for network in Network if is_allowed(ip_address(address), network)] == classes


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
        "169.254.1.1", "fe80::1", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "::ffff:168.63.129.16", "0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1",
        "255.255.255.255", "240.0.0.1",
    ],
)  # fmt: skip
def test_metadata_and_what_is_no_host_is_refused_for_every_class(address: str) -> None:
    assert not any(is_allowed(ip_address(address), network) for network in Network)


class Answers:
    """Stands where the machine's resolver does, so that no query leaves."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in self.addresses]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def ticker(clock: StoppedClock) -> LoopTicker:
    return LoopTicker(clock)


async def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> Answers:
    import asyncio

    answers = Answers(*addresses)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answers)
    return answers


async def test_only_the_allowed_of_a_names_addresses_are_used(
    monkeypatch: pytest.MonkeyPatch, ticker: LoopTicker
) -> None:
    await resolving(monkeypatch, "169.254.169.254", "8.8.8.8", "10.0.0.1", "8.8.4.4", "8.8.8.8")
    assert await Resolver(ticker).addresses(parse("https://a.example"), PUBLIC) == ["8.8.8.8", "8.8.4.4"]


async def test_a_name_with_no_allowed_address_is_refused_and_says_which(
    monkeypatch: pytest.MonkeyPatch, ticker: LoopTicker
) -> None:
    await resolving(monkeypatch, "127.0.0.1")
    with pytest.raises(AddressRefused, match=r"a\.example is 127\.0\.0\.1, which is not public"):
        await Resolver(ticker).addresses(parse("https://a.example"), PUBLIC)


async def test_a_name_that_cannot_be_resolved_is_no_connection(
    monkeypatch: pytest.MonkeyPatch, ticker: LoopTicker
) -> None:
    await resolving(monkeypatch)
    with pytest.raises(ConnectFailed, match=r"a\.example cannot be resolved"):
        await Resolver(ticker).addresses(parse("https://a.example"), PUBLIC)


async def test_a_name_is_asked_once_for_a_short_while_and_again_after_it(
    monkeypatch: pytest.MonkeyPatch, ticker: LoopTicker, clock: StoppedClock
) -> None:
    import asyncio

    answers = await resolving(monkeypatch, "8.8.8.8")
    resolver, origin = Resolver(ticker), parse("https://a.example")
    await asyncio.gather(*(resolver.addresses(origin, PUBLIC) for _ in range(5)))
    await resolver.addresses(origin, PUBLIC)
    assert answers.asked == 1
    clock.advance(31)
    ticker.sweep()
    await resolver.addresses(origin, PUBLIC)
    resolver.forget(origin)
    await resolver.addresses(origin, PUBLIC)
    assert answers.asked == 3


async def test_the_class_is_checked_on_each_use_of_a_remembered_name(
    monkeypatch: pytest.MonkeyPatch, ticker: LoopTicker
) -> None:
    await resolving(monkeypatch, "8.8.8.8")
    resolver, origin = Resolver(ticker), parse("https://a.example")
    await resolver.addresses(origin, PUBLIC)
    with pytest.raises(AddressRefused):
        await resolver.addresses(origin, PRIVATE)


async def test_an_address_needs_no_resolver(monkeypatch: pytest.MonkeyPatch, ticker: LoopTicker) -> None:
    answers = await resolving(monkeypatch)
    assert await Resolver(ticker).addresses(parse("http://[::1]:1"), LOOPBACK) == ["::1"]
    assert answers.asked == 0
