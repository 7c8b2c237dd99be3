import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clavero.domain.organisation import ORGANISATION
from clavero.domain.sealing import Purpose
from clavero.domain.secret import Secret
from clavero.vault.barrier import Barrier
from clavero.vault.box import CannotOpen
from clavero.vault.columns import Cell
from clavero.vault.keyring import Keyring, RootKey

ROOT = RootKey(b"\1" * 32)
RING = Keyring.open(ROOT, Keyring.create(ROOT, os.urandom, 5))
BARRIER = Barrier(RING, os.urandom)
CELL = Cell(purpose=Purpose.CREDENTIAL, id="openai-1", version=1, origin="https://api.example:443")
SECRET = Secret("canary" + "q7" * 20)


@given(st.text(max_size=300).filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text)))
def test_what_was_sealed_is_opened(text: str) -> None:
    assert BARRIER.open(BARRIER.seal(Secret(text), CELL), CELL).reveal() == text


def test_a_worker_with_the_same_rows_opens_what_the_control_plane_sealed() -> None:
    worker = Barrier(Keyring.open(RootKey(b"\1" * 32), RING.rows), os.urandom)
    assert worker.open(BARRIER.seal(SECRET, CELL), CELL) == SECRET


@pytest.mark.requirement(12)
def test_an_envelope_shows_nothing_of_its_secret() -> None:
    envelope = BARRIER.seal(SECRET, CELL)
    assert b"canary" not in envelope
    assert SECRET.reveal() not in repr(BARRIER)
    assert BARRIER.seal(SECRET, CELL) != envelope


OTHERS = {
    "purpose": Purpose.SIGNING,
    "id": "openai-2",
    "version": 2,
    "tenant": "other",
    "origin": "https://evil.example:443",
}


def test_every_part_of_a_cell_is_tried_below() -> None:
    assert set(OTHERS) == set(Cell.__struct_fields__)


@pytest.mark.parametrize("part", OTHERS)
def test_a_cell_does_not_open_in_the_place_of_another(part: str) -> None:
    ring = Keyring.open(ROOT, RING.rows)
    ring.add(Purpose.TENANT, os.urandom, 6, "other")
    barrier = Barrier(ring, os.urandom)
    envelope = barrier.seal(SECRET, CELL)
    with pytest.raises(CannotOpen):
        barrier.open(envelope, replace(CELL, **{part: OTHERS[part]}))


def test_any_two_cells_swapped_are_refused() -> None:
    cells = [
        replace(CELL, id=identity, version=version, origin=origin)
        for identity, version, origin in itertools.product(
            ("openai-1", "openai-11"), (1, 11), ("https://a.example:443", "https://b.example:443")
        )
    ]
    envelopes = [BARRIER.seal(SECRET, cell) for cell in cells]
    for (one, cell), (other, envelope) in itertools.product(enumerate(cells), enumerate(envelopes)):
        if one == other:
            assert BARRIER.open(envelope, cell) == SECRET
        else:
            with pytest.raises(CannotOpen):
                BARRIER.open(envelope, cell)


@pytest.mark.parametrize(
    "origin",
    ["http://api.example:443", "https://api.example:8443", "https://api.example", "https://api.example:443/", ""],
)
def test_an_origin_that_changed_is_refused(origin: str) -> None:
    with pytest.raises(CannotOpen):
        BARRIER.open(BARRIER.seal(SECRET, CELL), replace(CELL, origin=origin))


def test_a_truncated_envelope_is_refused_at_every_length() -> None:
    envelope = BARRIER.seal(SECRET, CELL)
    for length in range(len(envelope)):
        with pytest.raises(CannotOpen):
            BARRIER.open(envelope[:length], CELL)
    with pytest.raises(CannotOpen):
        BARRIER.open(envelope + b"\0", CELL)


def test_an_envelope_altered_anywhere_is_refused() -> None:
    envelope = BARRIER.seal(SECRET, CELL)
    for place in range(len(envelope)):
        altered = bytearray(envelope)
        altered[place] ^= 0x40
        with pytest.raises(CannotOpen):
            BARRIER.open(bytes(altered), CELL)


def test_the_halves_of_two_envelopes_do_not_fit() -> None:
    """The wrapped data key of one version with the sealed secret of another of the same cell."""
    one, other = BARRIER.seal(SECRET, CELL), BARRIER.seal(Secret("x" * 46), CELL)
    with pytest.raises(CannotOpen):
        BARRIER.open(one[:105] + other[105:], CELL)


def test_an_envelope_of_another_root_key_names_it() -> None:
    other = RootKey(b"\2" * 32)
    envelope = Barrier(Keyring.open(other, Keyring.create(other, os.urandom, 5)), os.urandom).seal(SECRET, CELL)
    with pytest.raises(CannotOpen, match=other.id):
        BARRIER.open(envelope, CELL)


def test_old_secrets_open_after_the_tenant_key_was_renewed() -> None:
    ring = Keyring.open(ROOT, RING.rows)
    old = Barrier(ring, os.urandom).seal(SECRET, CELL)
    ring.add(Purpose.TENANT, os.urandom, 6, ORGANISATION)
    barrier = Barrier(ring, os.urandom)
    assert barrier.open(old, CELL) == SECRET
    assert barrier.open(barrier.seal(SECRET, CELL), CELL) == SECRET
    with pytest.raises(CannotOpen):
        BARRIER.open(barrier.seal(SECRET, CELL), CELL)


def test_a_tenant_without_a_key_can_keep_no_secret() -> None:
    with pytest.raises(CannotOpen, match="no tenant key"):
        BARRIER.seal(SECRET, replace(CELL, tenant="nobody"))
