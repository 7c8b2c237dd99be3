from collections.abc import Mapping
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from clavero.domain.access import Session
from clavero.domain.secret import Secret
from clavero.entrypoints.http.console.door import Door, Stranger, check_form, cookie_of, own_path, peer

DOOR = Door(cast("Any", None))


def asking(peer_address: str = "127.0.0.1", scheme: str = "http", *, relayed: bool = False, **headers: str) -> Request:
    found: Mapping[str, str] = {"host": "127.0.0.1:4142"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    raw = [(name.encode(), text.encode()) for name, text in found.items()]
    return Request(
        {"type": "http", "method": "POST", "path": "/", "headers": raw, "client": (peer_address, 5), "scheme": scheme,
         "state": {"relayed": relayed}}
    )  # fmt: skip


@pytest.mark.parametrize("host", ["127.0.0.1:4142", "localhost:4142", "LOCALHOST", "[::1]:4142"])
def test_this_machine_is_let_in_by_its_own_names(host: str) -> None:
    DOOR.check_peer(asking(host=host))
    DOOR.check_peer(asking("::1", host=host))


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "", "unix"])
def test_without_tls_other_machines_are_refused(address: str) -> None:
    with pytest.raises(Stranger):
        DOOR.check_peer(asking(address))
    DOOR.check_peer(asking(address, "https", host="console.example"))


@pytest.mark.parametrize(
    "host", ["evil.example:4142", "127.0.0.1.evil.example", "", "[::1].evil.example", "localhost@evil"]
)
def test_a_name_that_was_led_here_is_refused(host: str) -> None:
    with pytest.raises(Stranger):
        DOOR.check_peer(asking(host=host))


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "https://127.0.0.1:4142", "http://127.0.0.1:4143", ""]
)
def test_a_form_from_elsewhere_is_refused(origin: str) -> None:
    with pytest.raises(Stranger):
        DOOR.check_origin(asking(origin=origin))
    with pytest.raises(Stranger):
        DOOR.check_origin(asking(sec_fetch_site="cross-site"))


def test_our_own_form_is_taken() -> None:
    DOOR.check_origin(asking(origin="http://127.0.0.1:4142"))
    DOOR.check_origin(asking(sec_fetch_site="same-origin"))
    DOOR.check_origin(asking(scheme="https", host="c.example", origin="https://c.example"))


def test_over_tls_a_form_that_came_in_the_clear_is_refused() -> None:
    with pytest.raises(Stranger):
        DOOR.check_origin(asking(scheme="https", host="c.example", origin="http://c.example"))


def test_what_a_proxy_did_not_call_https_is_refused_also_from_this_machine() -> None:
    with pytest.raises(Stranger, match="proxy"):
        DOOR.check_peer(asking(relayed=True))
    DOOR.check_peer(asking("203.0.113.7", "https", relayed=True, host="c.example"))


def test_a_token_of_another_session_is_refused() -> None:
    session = Session(id="x", digest=b"", pepper=1, csrf="ab" * 24, expires_ns=0)
    check_form(session, "ab" * 24)
    for token in ("", "ab" * 23, "ñ"):
        with pytest.raises(Stranger):
            check_form(session, token)


def test_the_cookie_is_bound_to_the_host_over_tls() -> None:
    assert cookie_of(asking(scheme="https")) == "__Host-clavero"
    assert cookie_of(asking()) == "clavero"
    for scheme, words in (("https", "__Host-clavero=s; HttpOnly; Max-Age="), ("http", "clavero=s; HttpOnly; Max-Age=")):
        response = Response()
        DOOR.let_in(asking(scheme=scheme), response, Secret("s"))
        said = response.headers["set-cookie"]
        assert said.startswith(words)
        assert ("; Secure" in said) is (scheme == "https")
        assert "Domain" not in said


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil", "\\\\evil", "", "/a\r\nb", "/a\\b"]
)
def test_signing_in_leads_to_our_own_pages_alone(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_signing_in_leads_back_to_where_one_was() -> None:
    assert own_path("/keys?q=x") == "/keys?q=x"
    assert peer(asking("10.1.2.3")) == "10.1.2.3"
