import pytest

from clavero.adapters.upstreams.request import written
from clavero.domain.calls import Unsendable
from clavero.ports.upstreams import Outgoing


def test_a_request_is_one_piece_with_its_host_and_length() -> None:
    outgoing = Outgoing("POST", "/v1/chat/completions", (("authorization", "Bearer k"),), b"{}")
    assert written(outgoing, "api.example:8080") == (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: api.example:8080\r\nauthorization: Bearer k\r\n"
        b"content-length: 2\r\n\r\n{}"
    )


def test_a_get_without_a_body_has_no_length_and_a_post_has() -> None:
    assert written(Outgoing("GET", "/v1/models", (), b""), "a") == b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"
    assert b"content-length: 0\r\n" in written(Outgoing("POST", "/", (), b""), "a")


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "ключ"])
def test_a_header_cannot_begin_a_line_of_its_own_and_its_value_is_not_said(value: str) -> None:
    with pytest.raises(Unsendable) as caught:
        written(Outgoing("POST", "/", (("authorization", value),), b""), "a")
    assert value not in str(caught.value)
    assert not caught.value.sent


@pytest.mark.parametrize("target", ["", "v1", "/a b", "/a\r\nb", "http://evil/", "/é"])
def test_a_target_is_one_of_http(target: str) -> None:
    with pytest.raises(Unsendable):
        written(Outgoing("POST", target, (), b""), "a")


@pytest.mark.parametrize("method", ["HEAD", "CONNECT", "post", "GET /x HTTP/1.1\r\n"])
def test_only_methods_whose_answers_are_framed_as_usual_are_sent(method: str) -> None:
    with pytest.raises(Unsendable):
        written(Outgoing(method, "/", (), b""), "a")
