import os

import pytest

from clavero.vault.signing import Signer, Trusted


def test_a_signature_is_believed_from_the_trusted_alone() -> None:
    ours, theirs = Signer({1: os.urandom(32)}), Signer({1: os.urandom(32)})
    trusted = Trusted(ours.all)
    said = bytes.fromhex(ours.sign(b"words"))
    assert trusted(ours.public, b"words", said)
    assert not trusted(ours.public, b"other words", said)
    assert not trusted(ours.public, b"words", b"")
    assert not trusted(theirs.public, b"words", bytes.fromhex(theirs.sign(b"words")))


def test_the_newest_key_signs_and_the_earlier_ones_are_still_believed() -> None:
    seeds = {1: os.urandom(32), 2: os.urandom(32)}
    before, now = Signer({1: seeds[1]}), Signer(seeds)
    assert now.public != before.public
    assert now.all == {before.public, now.public}
    assert Trusted(now.all)(before.public, b"w", bytes.fromhex(before.sign(b"w")))


def test_a_seed_is_not_shown_and_none_is_refused() -> None:
    seed = os.urandom(32)
    assert seed.hex() not in repr(Signer({1: seed}))
    with pytest.raises(ValueError, match="no signing key"):
        Signer({})
