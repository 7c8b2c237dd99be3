import pytest

from clavero.domain.forwarded import Proxies, host_of, over_tls, plain, read, read_proxies

PROXIES = read_proxies("10.0.0.0/8, 127.0.0.1/32 fd00::/8")


def test_nobody_is_trusted_where_nobody_is_named() -> None:
    assert not read_proxies("")
    assert not Proxies().holds("127.0.0.1")


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "fd00::1", "::ffff:10.1.2.3"])
def test_a_proxy_is_who_is_in_a_network_that_was_named(address: str) -> None:
    assert PROXIES.holds(address)


@pytest.mark.parametrize("address", ["11.1.2.3", "127.0.0.2", "fe01::1", "", "proxy.example.com"])
def test_nobody_else_is_a_proxy(address: str) -> None:
    assert not PROXIES.holds(address)


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),  # the first may be forged
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),  # all are ours: the one that is farthest
        ("203.0.113.7:4711, 10.0.0.2", "203.0.113.7"),
        ('"[2001:db8::7]:4711", 10.0.0.2', "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),  # who stands behind it nobody knows
        ("", "10.9.9.9"),
        ("203.0.113.7,", "10.9.9.9"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        (",".join(["10.0.0.2"] * 100), "10.0.0.2"),
    ],
)  # fmt: skip
def test_the_list_is_walked_from_the_right_through_trusted_proxies_alone(said: str, client: str) -> None:
    assert PROXIES.client("10.9.9.9", said) == client


def test_a_list_of_many_is_walked_no_further_than_its_last_hops() -> None:
    said = ", ".join(["203.0.113.7", *["10.0.0.2"] * 1000])
    assert PROXIES.client("10.9.9.9", said) == "10.0.0.2"


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example.com", "10.0.0.1-10.0.0.9", "0.0.0.0/0", "::/0"])
def test_what_is_no_network_or_all_of_them_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        read_proxies(text)


def test_an_entry_that_is_no_address_is_none() -> None:
    assert read("unknown") is None
    assert read("_hidden") is None
    assert read("fe80::1%eth0") is not None


def test_ipv4_is_written_as_ipv4_whatever_the_socket() -> None:
    assert plain("::ffff:203.0.113.7") == "203.0.113.7"
    assert plain("::ffff:1") == "::ffff:1"
    assert plain("2001:db8::7") == "2001:db8::7"


@pytest.mark.parametrize(
    ("said", "secure"), [("https", True), ("HTTPS, https", True), ("https, http", False), ("", False)]
)
def test_one_hop_in_the_clear_is_no_tls(said: str, *, secure: bool) -> None:
    assert over_tls(said) is secure


def test_the_nearest_proxy_says_the_name() -> None:
    assert host_of("evil.example, llm.example.com") == "llm.example.com"
    assert host_of("llm.example.com") == "llm.example.com"
