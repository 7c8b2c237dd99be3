import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.credentials import Network
from clavero.domain.origins import read_origin
from clavero.domain.refusals import InvalidValue


@pytest.mark.parametrize(
    ("url", "network", "base", "origin"),
    [
        ("https://api.openai.com", Network.PUBLIC, "https://api.openai.com", "https://api.openai.com:443"),
        ("https://api.openai.com/v1/", Network.PUBLIC, "https://api.openai.com", "https://api.openai.com:443"),
        ("HTTPS://API.Example.COM:443/v1", Network.PUBLIC, "https://api.example.com", "https://api.example.com:443"),
        ("https://api.x.ai:8443/a/b/v1", Network.PUBLIC, "https://api.x.ai:8443/a/b", "https://api.x.ai:8443"),
        ("http://localhost:11434/v1", Network.LOOPBACK, "http://localhost:11434", "http://localhost:11434"),
        ("http://127.0.0.1:80", Network.LOOPBACK, "http://127.0.0.1", "http://127.0.0.1:80"),
        ("http://[::1]:9/", Network.LOOPBACK, "http://[::1]:9", "http://[::1]:9"),
        ("http://10.0.0.7:8000", Network.PRIVATE, "http://10.0.0.7:8000", "http://10.0.0.7:8000"),
        ("http://vllm.internal:8000", Network.PRIVATE, "http://vllm.internal:8000", "http://vllm.internal:8000"),
        ("https://vllm.internal", Network.LOOPBACK, "https://vllm.internal", "https://vllm.internal:443"),
    ],
)
def test_a_base_url_is_stored_in_one_form_with_its_origin(url: str, network: Network, base: str, origin: str) -> None:
    found = read_origin(url, network)
    assert (found.base_url, found.origin) == (base, origin)
    assert read_origin(found.base_url, network) == found


@pytest.mark.parametrize(
    "url",
    [
        "", "api.openai.com", "ftp://api.example.com", "//api.example.com", "https://", "https:///v1",
        "https://user@api.example.com", "https://user:pass@api.example.com", "https://api.example.com@evil.example",
        "https://api.example.com?x=1", "https://api.example.com#x", "https://api.example.com/?", "https://a.example/%2e",
        "https://api.example.com/../x", "https://api.example.com//x", "https://api.example.com/./x",
        "https://api.example.com:0", "https://api.example.com:65536", "https://api.example.com:", "https://a.example:8a",
        "https://api.example.com\n", " https://api.example.com", "https://api.example.com\\@evil.example",
        "https://\u0430pi.example.com", "https://api_x.example.com", "https://-a.example", "https://a..example", "https://a.example.",
        "https://2130706433", "https://0x7f000001", "https://0177.0.0.1", "https://127.1", "https://1.2.3.4.5",
        "https://[::1", "https://[fe80::1%25eth0]", "https://[zz]", "https://" + "a" * 500,
        "https://169.254.169.254", "https://[::ffff:169.254.169.254]", "https://metadata.google.internal",
        "https://METADATA", "https://168.63.129.16", "https://0.0.0.0", "https://[::]", "https://[fd00:ec2::254]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("network", list(Network))
def test_what_is_strange_or_never_called_is_refused(url: str, network: Network) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_origin(url, network)
    assert caught.value.message
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "network", "suggestion"),
    [
        ("https://127.0.0.1", Network.PUBLIC, "loopback"),
        ("https://10.0.0.1", Network.PUBLIC, "private"),
        ("https://localhost", Network.PUBLIC, "loopback"),
        ("http://localhost", Network.PRIVATE, "loopback"),
        ("http://10.0.0.1", Network.LOOPBACK, "private"),
        ("http://8.8.8.8", Network.PRIVATE, "public"),
    ],
)
def test_an_address_of_another_network_class_names_the_class(url: str, network: Network, suggestion: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_origin(url, network)
    assert caught.value.field == "network"
    assert caught.value.suggestion == suggestion


def test_plain_http_never_leaves_for_the_public_network() -> None:
    with pytest.raises(InvalidValue, match="https"):
        read_origin("http://api.openai.com", Network.PUBLIC)


@given(st.text(max_size=60), st.sampled_from(Network))
def test_any_text_is_refused_or_has_an_origin(text: str, network: Network) -> None:
    for url in (text, f"https://{text}", f"http://a.example{text}"):
        try:
            found = read_origin(url, network)
        except InvalidValue:
            continue
        assert found.base_url.startswith(("http://", "https://"))
        assert found.origin.rpartition(":")[2].isdigit()
