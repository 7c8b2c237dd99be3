import pytest

from clavero.domain.proxies import Bypass, Outward, read_bypass, read_proxy

SECRET = "pass%2Fword"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("http://proxy.example.com", "http://proxy.example.com:80"),
        ("https://Proxy.example.com/", "https://proxy.example.com:443"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ],
)
def test_a_proxy_is_read_as_everybody_writes_it(text: str, origin: str) -> None:
    proxy = read_proxy(text)
    assert proxy is not None
    assert proxy.origin == origin
    assert proxy.authorization is None


def test_no_text_is_no_proxy() -> None:
    assert read_proxy("") is None
    assert read_proxy("  ") is None


def test_user_and_password_become_a_secret_and_are_shown_nowhere() -> None:
    proxy = read_proxy(f"http://al%40ice:{SECRET}@proxy.example.com:3128")
    assert proxy is not None
    assert proxy.authorization is not None
    assert proxy.authorization.reveal() == "Basic YWxAaWNlOnBhc3Mvd29yZA=="
    assert "alice" not in repr(proxy) + proxy.name
    assert "YWx" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    [
        f"socks5://u:{SECRET}@proxy:1080", f"http://u:{SECRET}@proxy:99999", f"http://u:{SECRET}@/x",
        f"http://u:{SECRET}@proxy:80/path", f"http://u:{SECRET}@proxy:80?a=b", f"http://u:{SECRET}@pro xy:80",
        f"http://u%0d%0a:{SECRET}@proxy:80", f"http://u%3a:{SECRET}@proxy:80",
    ],
)  # fmt: skip
def test_what_is_no_proxy_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_proxy(text)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("*", "api.example.com", 443),
        ("example.com", "example.com", 443),
        ("example.com", "api.example.com", 443),
        (".example.com", "api.example.com", 443),
        ("*.example.com", "api.example.com", 443),
        ("EXAMPLE.com.", "Api.Example.Com.", 443),
        ("api.example.com:8443", "api.example.com", 8443),
        ("10.0.0.0/8", "10.1.2.3", 443),
        ("10.1.2.3", "10.1.2.3", 443),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("2001:db8::/32", "2001:db8::1", 443),
        ("one.example, two.example", "two.example", 443),
        ("one.example two.example", "two.example", 443),
    ],
)
def test_who_is_named_is_called_straight(entry: str, host: str, port: int) -> None:
    assert read_bypass(entry).holds(host, port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("", "api.example.com", 443),
        ("example.com", "badexample.com", 443),
        ("api.example.com:8443", "api.example.com", 443),
        ("10.0.0.0/8", "11.1.2.3", 443),
        ("10.0.0.0/8", "api.example.com", 443),
        ("2001:db8::1", "2001:db8::2", 443),
        (".", "api.example.com", 443),
        ("10.1.2.3", "2001:db8::1", 443),
    ],
)
def test_nobody_else_is(entry: str, host: str, port: int) -> None:
    assert not read_bypass(entry).holds(host, port)


def test_each_scheme_has_its_own_proxy() -> None:
    secure, clear = read_proxy("http://s:1"), read_proxy("http://c:1")
    outward = Outward(secure, clear, Bypass(("straight.example",)))
    assert outward.proxy_for("api.example", 443, tls=True) == secure
    assert outward.proxy_for("api.example", 80, tls=False) == clear
    assert outward.proxy_for("straight.example", 443, tls=True) is None
    assert Outward().proxy_for("api.example", 443, tls=True) is None
