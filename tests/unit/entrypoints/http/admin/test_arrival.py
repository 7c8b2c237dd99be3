from typing import Any

import pytest

from clavero.domain.forwarded import read_proxies
from clavero.entrypoints.http.admin.arrival import Arrival, arrived, is_relayed

PROXIES = read_proxies("10.0.0.0/8")
CLAIMS = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https", "x-forwarded-host": "c.example"}


def scope(peer: str, headers: dict[str, str], scheme: str = "http") -> dict[str, Any]:
    raw = [(b"host", b"127.0.0.1:4142"), *((name.encode(), text.encode()) for name, text in headers.items())]
    return {"type": "http", "scheme": scheme, "client": (peer, 5), "headers": raw, "state": {"kept": 1}}


def names(told: Any) -> set[bytes]:
    return {name for name, _ in told["headers"]}


def test_what_a_trusted_proxy_says_of_its_caller_is_the_request() -> None:
    told = arrived(scope("10.0.0.2", CLAIMS), PROXIES)
    assert (told["client"], told["scheme"]) == (("203.0.113.7", 0), "https")
    assert told["headers"] == [(b"host", b"c.example")]
    assert is_relayed(told)
    assert told["state"]["kept"] == 1


@pytest.mark.parametrize("peer", ["203.0.113.9", "127.0.0.1", "::1"])
def test_what_anybody_else_says_of_others_is_left_out_and_still_shows_that_it_does_not_ask_for_itself(
    peer: str,
) -> None:
    told = arrived(scope(peer, CLAIMS | {"forwarded": "for=203.0.113.7", "x-real-ip": "203.0.113.7"}), PROXIES)
    assert (told["client"], told["scheme"]) == ((peer, 5), "http")
    assert told["headers"] == [(b"host", b"127.0.0.1:4142")]
    assert is_relayed(told)


def test_a_proxy_that_says_nothing_is_not_taken_for_somebody_on_this_machine() -> None:
    assert is_relayed(arrived(scope("10.0.0.2", {}), PROXIES))
    assert is_relayed(arrived(scope("127.0.0.1", {}), read_proxies("127.0.0.1/32")))
    assert not is_relayed(arrived(scope("127.0.0.1", {}), PROXIES))


def test_a_proxy_that_was_asked_in_the_clear_makes_nothing_secure_though_it_speaks_tls_with_us() -> None:
    told = arrived(scope("10.0.0.2", CLAIMS | {"x-forwarded-proto": "http"}, "https"), PROXIES)
    assert told["scheme"] == "http"


def test_repeated_headers_are_one_list_and_ipv4_is_written_as_ipv4() -> None:
    asked = scope("::ffff:10.0.0.2", {"x-forwarded-for": "198.51.100.1"})
    asked["headers"].append((b"x-forwarded-for", b"203.0.113.7, 10.0.0.3"))
    assert arrived(asked, PROXIES)["client"][0] == "203.0.113.7"


async def test_only_requests_are_looked_at() -> None:
    seen: list[Any] = []

    async def app(told: Any, _receive: Any, _send: Any) -> None:
        seen.append(told)

    lifespan = {"type": "lifespan"}
    await Arrival(app, PROXIES)(lifespan, None, None)  # type: ignore[arg-type] # nobody calls them
    assert seen == [lifespan]
