from collections.abc import Mapping
from typing import Any, cast

import pytest
from starlette.requests import Request

from clavero.domain.access import Session
from clavero.entrypoints.http.console.door import Door, Stranger, check_form, own_path, peer

PLAIN = Door(cast("Any", None))
SECURE = Door(cast("Any", None), secure=True)


def asking(peer_address: str = "127.0.0.1", **headers: str) -> Request:
    found: Mapping[str, str] = {"host": "127.0.0.1:4142"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    raw = [(name.encode(), text.encode()) for name, text in found.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "client": (peer_address, 5)})


@pytest.mark.parametrize("host", ["127.0.0.1:4142", "localhost:4142", "LOCALHOST", "[::1]:4142"])
def test_this_machine_is_let_in_by_its_own_names(host: str) -> None:
    PLAIN.check_peer(asking(host=host))
    PLAIN.check_peer(asking("::1", host=host))


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "", "unix"])
def test_without_tls_other_machines_are_refused(address: str) -> None:
    with pytest.raises(Stranger):
        PLAIN.check_peer(asking(address))
    SECURE.check_peer(asking(address, host="console.example"))


@pytest.mark.parametrize(
    "host", ["evil.example:4142", "127.0.0.1.evil.example", "", "[::1].evil.example", "localhost@evil"]
)
def test_a_name_that_was_led_here_is_refused(host: str) -> None:
    with pytest.raises(Stranger):
        PLAIN.check_peer(asking(host=host))


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "https://127.0.0.1:4142", "http://127.0.0.1:4143", ""]
)
def test_a_form_from_elsewhere_is_refused(origin: str) -> None:
    with pytest.raises(Stranger):
        PLAIN.check_origin(asking(origin=origin))
    with pytest.raises(Stranger):
        PLAIN.check_origin(asking(sec_fetch_site="cross-site"))


def test_our_own_form_is_taken() -> None:
    PLAIN.check_origin(asking(origin="http://127.0.0.1:4142"))
    PLAIN.check_origin(asking(sec_fetch_site="same-origin"))
    SECURE.check_origin(asking(host="c.example", origin="https://c.example"))


def test_a_token_of_another_session_is_refused() -> None:
    session = Session(id="x", digest=b"", pepper=1, csrf="ab" * 24, expires_ns=0)
    check_form(session, "ab" * 24)
    for token in ("", "ab" * 23, "ñ"):
        with pytest.raises(Stranger):
            check_form(session, token)


def test_the_cookie_is_bound_to_the_host_over_tls() -> None:
    assert SECURE.cookie == "__Host-clavero"
    assert PLAIN.cookie == "clavero"


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil", "\\\\evil", "", "/a\r\nb", "/a\\b"]
)
def test_signing_in_leads_to_our_own_pages_alone(wanted: str) -> None:
    assert own_path(wanted) == "/"


def test_signing_in_leads_back_to_where_one_was() -> None:
    assert own_path("/keys?q=x") == "/keys?q=x"
    assert peer(asking("10.1.2.3")) == "10.1.2.3"
