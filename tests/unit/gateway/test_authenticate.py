"""The order of checks, and what is told to whom."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.gateway.world import CLOCK, PRINTS, another_secret, new_key, request, version_of, view_of

from clavero.domain.errors import Problem
from clavero.domain.keys import KeyState
from clavero.gateway.authenticate import authenticate
from clavero.gateway.view import View
from clavero.vault.fingerprint import Fingerprints

FUTURE = CLOCK.wall_ns() + 10**9
PAST = CLOCK.wall_ns() - 10**9


def knock(view: View, headers: dict[str, str]) -> tuple[str, int]:
    """The code of the refusal and 0, or nothing and the version that was let in."""
    try:
        _, version = authenticate(request(headers), view, PRINTS, CLOCK)
    except Problem as problem:
        return problem.code, 0
    return "", version.number


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


class Watched:
    """A view and prints that say what they were asked."""

    def __init__(self) -> None:
        self.looked: list[str] = []
        self.compared = 0

    def grant(self, kid: str) -> None:
        self.looked.append(kid)

    def stranger(self, _token: str) -> None:
        self.compared += 1


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_a_key_is_taken_from_each_usual_header(name: str) -> None:
    key, secret = new_key()
    value = f"Bearer {secret}" if name == "authorization" else secret
    assert knock(view_of(key), {name: value}) == ("", 1)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    key, secret = new_key()
    assert knock(view_of(key), {"authorization": f"{scheme}  {secret} "}) == ("", 1)


@pytest.mark.parametrize("empty", ["", "Bearer", "Bearer ", "Basic abc"])
def test_an_authorization_that_holds_no_key_leaves_room_for_another_header(empty: str) -> None:
    key, secret = new_key()
    assert knock(view_of(key), {"authorization": empty}) == ("missing_api_key", 0)
    assert knock(view_of(key), {"authorization": empty, "x-api-key": secret}) == ("", 1)


@pytest.mark.parametrize("sent", ["x", "clvk_prod_short", "clvk_prod_" + "0" * 300, "\ud800", "clvk_PROD_" + "0" * 62])
def test_garbage_is_refused_by_its_shape_alone(sent: str) -> None:
    watched: Any = Watched()
    with pytest.raises(Problem) as caught:
        authenticate(request({"x-api-key": sent}), watched, watched, CLOCK)
    assert caught.value.code == "malformed_api_key"
    assert (watched.looked, watched.compared) == ([], 0)


def test_a_provider_s_key_is_named_as_one() -> None:
    assert knock(view_of(), bearer("sk-proj-" + "A1b2" * 12)) == ("provider_key_sent", 0)


def test_a_stranger_costs_the_work_of_a_comparison() -> None:
    watched: Any = Watched()
    _, secret = new_key()
    with pytest.raises(Problem):
        authenticate(request(bearer(secret)), watched, watched, CLOCK)
    assert (len(watched.looked), watched.compared) == (1, 1)


def test_an_unknown_key_is_told_apart_from_an_altered_one_by_its_checksum() -> None:
    key, secret = new_key()
    _, unknown = new_key()
    view = view_of(key)
    altered = unknown[:-1] + ("0" if unknown[-1] != "0" else "1")
    assert knock(view, bearer(unknown)) == ("invalid_api_key", 0)
    assert knock(view, bearer(altered)) == ("malformed_api_key", 0)
    wrong = another_secret(key.id).reveal()  # a known key, a secret that was never its own
    assert knock(view, bearer(wrong)) == ("invalid_api_key", 0)
    assert knock(view, bearer(secret[:-1] + ("0" if secret[-1] != "0" else "1"))) == ("malformed_api_key", 0)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"state": KeyState.REVOKED}, "key_revoked"),
        ({"state": KeyState.RETIRED}, "key_revoked"),
        ({"state": KeyState.DISABLED}, "key_disabled"),
        ({"starts_ns": FUTURE, "state": KeyState.PENDING}, "key_pending"),
        ({"expires_ns": PAST}, "key_expired"),
        ({"expires_ns": FUTURE}, ""),
        ({"starts_ns": PAST, "state": KeyState.PENDING}, ""),
    ],
)
def test_the_state_of_a_key_is_told_only_to_who_holds_its_secret(facts: dict[str, Any], code: str) -> None:
    key, secret = new_key(**facts)
    view = view_of(key)
    assert knock(view, bearer(secret)) == (code, 0 if code else 1)
    assert knock(view, bearer(another_secret(key.id).reveal())) == ("invalid_api_key", 0)


def test_each_version_is_known_by_its_own_pepper_and_an_ended_one_hears_that_it_has_ended() -> None:
    key, first = new_key()
    second, third = another_secret(key.id), another_secret(key.id)
    key = replace(
        key,
        versions=(
            replace(key.versions[0], ends_ns=PAST),
            version_of(second, 2, pepper=1, ends_ns=FUTURE),
            version_of(third, 3),
        ),
    )
    view = view_of(key)
    assert knock(view, bearer(first)) == ("key_rotated", 0)
    assert knock(view, bearer(second.reveal())) == ("", 2)
    assert knock(view, bearer(third.reveal())) == ("", 3)


def test_a_version_whose_pepper_is_gone_lets_nobody_in() -> None:
    key, secret = new_key()
    with pytest.raises(Problem) as caught:
        authenticate(request(bearer(secret)), view_of(key), Fingerprints({9: b"z" * 32}), CLOCK)
    assert caught.value.code == "invalid_api_key"


def test_a_key_of_another_kind_opens_no_door_here() -> None:
    _, secret = new_key()
    assert knock(view_of(), bearer(secret.replace("clvk_", "clva_", 1)))[0] == "malformed_api_key"
