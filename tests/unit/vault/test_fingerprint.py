import hashlib
import hmac

import pytest

from clavero.vault.fingerprint import Fingerprints

PEPPER = b"p" * 32


def test_a_fingerprint_is_a_keyed_hash_of_the_whole_key() -> None:
    assert Fingerprints({1: PEPPER}).digest("token", 1) == hmac.digest(PEPPER, b"token", hashlib.sha256)


def test_only_the_same_key_under_the_same_pepper_is_the_same() -> None:
    prints = Fingerprints({1: PEPPER, 2: b"q" * 32})
    digest = prints.digest("token", 1)
    assert prints.same("token", 1, digest)
    assert not prints.same("token", 2, digest)
    assert not prints.same("token", 3, digest)
    assert not prints.same("tokeN", 1, digest)


@pytest.mark.parametrize("token", ["", "x" * 256, "\ud800"])
def test_a_stranger_costs_the_same_and_raises_nothing(token: str) -> None:
    Fingerprints({1: PEPPER}).stranger(token)
