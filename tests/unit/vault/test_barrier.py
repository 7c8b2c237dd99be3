import os
from itertools import permutations

import msgspec
import pytest

from clavero.domain.secret import Secret
from clavero.vault.barrier import About, Barrier, CannotOpen, box, unbox

ONE = About("credential", "cred_1", 1, "https://api.one.example:443")
SECRET = Secret("a provider's key")


@pytest.fixture
def barrier() -> Barrier:
    return Barrier("rk_1", {"default": os.urandom(32)})


def test_what_was_sealed_opens(barrier: Barrier) -> None:
    assert barrier.open(barrier.seal(SECRET, ONE), ONE) == SECRET


def test_the_same_secret_is_never_sealed_alike(barrier: Barrier) -> None:
    assert barrier.seal(SECRET, ONE) != barrier.seal(SECRET, ONE)
    assert SECRET.reveal().encode() not in barrier.seal(SECRET, ONE)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "webhook"},
        {"id": "cred_2"},
        {"version": 2},
        {"origin": "https://api.two.example:443"},
        {"origin": ""},
    ],
    ids=["purpose", "id", "version", "origin", "no origin"],
)
def test_a_cell_opens_only_as_what_it_was_sealed_as(barrier: Barrier, change: dict[str, object]) -> None:
    with pytest.raises(CannotOpen):
        barrier.open(barrier.seal(SECRET, ONE), msgspec.structs.replace(ONE, **change))


def test_any_two_cells_swapped_are_refused(barrier: Barrier) -> None:
    cells = [About("credential", f"cred_{number}", number, "https://x:443") for number in range(1, 4)]
    sealed = [barrier.seal(Secret(f"secret {number}"), about) for number, about in enumerate(cells)]
    for (one, _), (_, other) in permutations(zip(cells, sealed, strict=True), 2):
        with pytest.raises(CannotOpen):
            barrier.open(other, one)


def test_every_truncation_and_every_changed_byte_is_refused(barrier: Barrier) -> None:
    sealed = barrier.seal(SECRET, ONE)
    for place in range(len(sealed)):
        with pytest.raises(CannotOpen):
            barrier.open(sealed[:place], ONE)
        with pytest.raises(CannotOpen):
            barrier.open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], ONE)


def test_another_tenant_or_root_key_opens_nothing(barrier: Barrier) -> None:
    sealed = barrier.seal(SECRET, ONE)
    with pytest.raises(CannotOpen, match="tenant"):
        barrier.open(sealed, msgspec.structs.replace(ONE, tenant="other"))
    with pytest.raises(CannotOpen):
        Barrier("rk_2", {"default": os.urandom(32)}).open(sealed, ONE)


def test_a_box_commits_to_its_key() -> None:
    key, other = os.urandom(32), os.urandom(32)
    with pytest.raises(CannotOpen, match="another key"):
        unbox(other, box(key, b"x", b"bound"), b"bound")
