import hashlib
import hmac
import os

import pytest

from clavero.domain.tokens import Kind, mint
from clavero.vault.fingerprint import Fingerprints

OLD, NEW = b"\1" * 32, b"\2" * 32
PRINTS = Fingerprints({1: OLD, 2: NEW})
TOKEN = mint(Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal()


def test_a_digest_is_the_plain_hmac_of_the_newest_pepper() -> None:
    assert PRINTS.newest == 2
    assert PRINTS.digest(TOKEN, PRINTS.newest) == hmac.new(NEW, TOKEN.encode(), hashlib.sha256).digest()


def test_a_token_is_known_by_the_pepper_it_was_stored_with() -> None:
    old = hmac.new(OLD, TOKEN.encode(), hashlib.sha256).digest()
    assert PRINTS.same(TOKEN, 1, old)
    assert not PRINTS.same(TOKEN, 2, old)


@pytest.mark.parametrize(
    "other", [TOKEN[:-1], TOKEN + "a", TOKEN.swapcase(), "", "\ud800", "é"], ids=lambda text: f"{len(text)} characters"
)
def test_another_token_is_not_the_same(other: str) -> None:
    assert not PRINTS.same(other, 2, PRINTS.digest(TOKEN, 2))


def test_one_token_leaves_nothing_behind_for_the_next() -> None:
    first = PRINTS.digest(TOKEN, 2)
    PRINTS.stranger("x" * 90)
    assert PRINTS.digest(TOKEN, 2) == first


def test_a_pepper_that_is_gone_matches_nothing() -> None:
    assert not PRINTS.same(TOKEN, 3, PRINTS.digest(TOKEN, 2))
    assert not PRINTS.same(TOKEN, 2, b"")


def test_without_a_pepper_there_are_no_fingerprints() -> None:
    with pytest.raises(ValueError, match="no pepper"):
        Fingerprints({})


def test_peppers_are_not_shown() -> None:
    assert repr(PRINTS) == "Fingerprints(2 peppers)"
