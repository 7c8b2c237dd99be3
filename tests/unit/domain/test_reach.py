import pytest

from clavero.domain.reach import is_here, reach_of, read_host, read_url, same_machine

ALL = "0.0.0.0"


def gateway(host: str, names: tuple[str, ...] | None, url: str = "") -> str:
    return reach_of((host, 4141, url), ("127.0.0.1", 4142, ""), names).gateway


def test_on_loopback_everything_is_as_it_listens() -> None:
    reach = reach_of(("127.0.0.1", 4141, ""), ("::1", 4142, ""), None)
    assert (reach.gateway, reach.admin) == ("http://127.0.0.1:4141", "http://[::1]:4142")
    assert (reach.gateway_here, reach.admin_here, reach.name) == (reach.gateway, reach.admin, "")


@pytest.mark.parametrize(
    ("host", "names", "url"),
    [
        (ALL, ("localhost", "127.0.0.1", "llm.example.com"), "https://llm.example.com:4141"),
        (ALL, ("localhost", "127.0.0.1"), "https://127.0.0.1:4141"),
        (ALL, ("*.example.com",), "https://127.0.0.1:4141"),
        ("10.0.0.7", ("llm.example.com", "10.0.0.7"), "https://10.0.0.7:4141"),
        ("10.0.0.7", ("llm.example.com",), "https://llm.example.com:4141"),
        ("127.0.0.1", ("localhost",), "https://localhost:4141"),
        ("127.0.0.1", (), "https://127.0.0.1:4141"),
        ("::", ("2001:db8::7",), "https://[2001:db8::7]:4141"),
    ],
)
def test_over_tls_the_url_is_one_that_the_certificate_is_for(host: str, names: tuple[str, ...], url: str) -> None:
    assert gateway(host, names) == url


def test_a_url_that_was_configured_is_told_as_it_stands_and_this_machine_still_goes_straight() -> None:
    reach = reach_of((ALL, 4141, "https://llm.example.com"), (ALL, 4142, "https://Admin.example.com/"), None)
    assert (reach.gateway, reach.admin) == ("https://llm.example.com", "https://admin.example.com")
    assert (reach.gateway_here, reach.admin_here) == ("http://127.0.0.1:4141", "http://127.0.0.1:4142")


def test_this_machine_checks_the_certificate_for_a_name_that_is_in_it() -> None:
    reach = reach_of((ALL, 4141, ""), (ALL, 4142, ""), ("*.example.com", "llm.example.com"))
    assert (reach.admin_here, reach.name) == ("https://127.0.0.1:4142", "llm.example.com")


@pytest.mark.parametrize(("host", "read"), [("localhost", "127.0.0.1"), ("[::1]", "::1"), (ALL, ALL), ("::", "::")])
def test_an_address_to_listen_on_is_an_address(host: str, read: str) -> None:
    assert read_host(host) == read


@pytest.mark.parametrize("host", ["", "example.com", "10.0.0.0/8", "127.0.0.1:4141", "*"])
def test_a_name_is_none(host: str) -> None:
    with pytest.raises(ValueError, match=r"0\.0\.0\.0"):
        read_host(host)


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://x", "https://u:hunter22@x", "https://x/path", "https://x:0", "https://x:y"]
)
def test_what_is_no_plain_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"http\(s\)://host") as caught:
        read_url(url)
    assert "hunter22" not in str(caught.value)


def test_only_loopback_is_nobody_elses() -> None:
    assert is_here("127.0.0.1")
    assert is_here("::1")
    assert not is_here(ALL)
    assert not is_here("10.0.0.7")


def test_who_calls_from_the_address_that_it_calls_is_on_this_machine() -> None:
    assert same_machine("10.0.0.7", "10.0.0.7")
    assert same_machine("127.0.0.9", "127.0.0.1")
    assert not same_machine("10.0.0.8", "10.0.0.7")
    assert not same_machine("", "10.0.0.7")
