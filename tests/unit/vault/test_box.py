import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.vault.box import KEY, OVERHEAD, CannotOpen, lock, spell, unlock

ONE, OTHER = b"\1" * KEY, b"\2" * KEY
PLACE = spell("a", 1)


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_what_was_locked_is_unlocked(plain: bytes, place: bytes) -> None:
    box = lock(ONE, plain, place, os.urandom)
    assert unlock(ONE, box, place) == plain
    assert len(box) == OVERHEAD + len(plain)


def test_the_same_secret_never_looks_the_same() -> None:
    assert lock(ONE, b"x" * 32, PLACE, os.urandom) != lock(ONE, b"x" * 32, PLACE, os.urandom)


def test_another_key_is_refused_before_anything_is_decrypted() -> None:
    with pytest.raises(CannotOpen, match="another key"):
        unlock(OTHER, lock(ONE, b"x", PLACE, os.urandom), PLACE)


def test_another_place_is_refused() -> None:
    with pytest.raises(CannotOpen, match="another place"):
        unlock(ONE, lock(ONE, b"x", PLACE, os.urandom), spell("a", 2))


@pytest.mark.parametrize("byte", range(OVERHEAD + 5))
def test_every_altered_byte_is_refused(byte: int) -> None:
    box = bytearray(lock(ONE, b"hello", PLACE, os.urandom))
    box[byte] ^= 1
    with pytest.raises(CannotOpen):
        unlock(ONE, bytes(box), PLACE)


def test_every_truncation_is_refused() -> None:
    box = lock(ONE, b"hello", PLACE, os.urandom)
    for length in range(len(box)):
        with pytest.raises(CannotOpen):
            unlock(ONE, box[:length], PLACE)


def test_a_commitment_cannot_be_carried_to_another_key() -> None:
    """The cipher's tag alone would let one ciphertext open under two keys; here the key itself is committed to."""
    mine, theirs = lock(ONE, b"hello", PLACE, os.urandom), lock(OTHER, b"hello", PLACE, os.urandom)
    with pytest.raises(CannotOpen, match="another key"):
        unlock(ONE, theirs[:44] + mine[44:], PLACE)


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_two_places_are_never_spelt_alike(one: list[str], other: list[str]) -> None:
    assert (spell(*one) == spell(*other)) == (one == other)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_a_mistake(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        lock(b"k" * size, b"x", PLACE, os.urandom)
