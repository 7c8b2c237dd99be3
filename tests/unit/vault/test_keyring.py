import os
import pickle

import pytest
from msgspec.structs import replace

from clavero.domain.organisation import ORGANISATION
from clavero.domain.sealing import Purpose, SealedKey
from clavero.domain.startup import Exit, StartFailure
from clavero.vault.box import CannotOpen
from clavero.vault.keyring import Keyring, RootKey, WrongRootKey, row_id

ROOT, OTHER = RootKey(b"\1" * 32), RootKey(b"\2" * 32)


@pytest.fixture
def rows() -> tuple[SealedKey, ...]:
    return Keyring.create(ROOT, os.urandom, 5)


def by_purpose(rows: tuple[SealedKey, ...], purpose: Purpose) -> SealedKey:
    return next(row for row in rows if row.purpose is purpose)


def test_what_was_created_opens_with_its_root_key(rows: tuple[SealedKey, ...]) -> None:
    ring = Keyring.open(ROOT, rows)
    assert len(ring.tenant_key(ORGANISATION, 1)) == 32
    assert set(ring.peppers()) == {1}
    assert ring.newest_tenant_version(ORGANISATION) == 1
    assert ring.root == ROOT.id
    assert all(row.created_ns == 5 for row in rows)


def test_no_two_keys_of_a_vault_are_alike(rows: tuple[SealedKey, ...]) -> None:
    ring, other = Keyring.open(ROOT, rows), Keyring.open(ROOT, Keyring.create(ROOT, os.urandom, 5))
    keys = {r.tenant_key(ORGANISATION, 1) for r in (ring, other)} | {r.peppers()[1] for r in (ring, other)}
    assert len(keys) == 4


def test_a_wrong_root_key_is_one_plain_failure_that_names_both(rows: tuple[SealedKey, ...]) -> None:
    with pytest.raises(WrongRootKey) as caught:
        Keyring.open(OTHER, rows)
    failure = caught.value
    assert isinstance(failure, StartFailure)
    assert (failure.needed, failure.given) == (ROOT.id, OTHER.id)
    assert str(failure) == (
        f"error: the vault needs root key {ROOT.id}; this is {OTHER.id}  [wrong_root_key]\n"
        f"  fix: restore {ROOT.id}. Nothing was changed."
    )
    assert failure.exit_code is Exit.CANNOT_START


def test_a_root_key_that_only_shares_the_name_is_wrong_too(rows: tuple[SealedKey, ...]) -> None:
    twin = RootKey(b"\2" * 32)
    twin.id = ROOT.id
    with pytest.raises(WrongRootKey, match="both named"):
        Keyring.open(twin, rows)


def test_one_row_of_another_root_key_is_a_wrong_root_key(rows: tuple[SealedKey, ...]) -> None:
    foreign = by_purpose(Keyring.create(OTHER, os.urandom, 5), Purpose.PEPPER)
    with pytest.raises(WrongRootKey):
        Keyring.open(ROOT, (by_purpose(rows, Purpose.CHECK), foreign))


def test_a_vault_without_its_check_value_does_not_open(rows: tuple[SealedKey, ...]) -> None:
    with pytest.raises(CannotOpen, match="check value"):
        Keyring.open(ROOT, [row for row in rows if row.purpose is not Purpose.CHECK])
    with pytest.raises(CannotOpen, match="check value"):
        Keyring.open(ROOT, [])


def test_a_key_sealed_in_place_of_the_check_value_is_noticed(rows: tuple[SealedKey, ...]) -> None:
    ring = Keyring.open(ROOT, rows)
    forged = ring.add(Purpose.CHECK, os.urandom, 6)
    with pytest.raises(CannotOpen, match="replaced"):
        Keyring.open(ROOT, [forged])


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": Purpose.TENANT},
        {"tenant": "other"},
        {"version": 2},
        {"id": "pepper//2"},
        {"sealed": b""},
        {"sealed": b"x" * 92},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_row_that_was_moved_or_altered_does_not_open(rows: tuple[SealedKey, ...], change: dict[str, object]) -> None:
    pepper = by_purpose(rows, Purpose.PEPPER)
    moved = replace(pepper, **change)
    with pytest.raises(CannotOpen):
        Keyring.open(ROOT, [row if row is not pepper else moved for row in rows])


def test_two_rows_swapped_do_not_open(rows: tuple[SealedKey, ...]) -> None:
    pepper, tenant = by_purpose(rows, Purpose.PEPPER), by_purpose(rows, Purpose.TENANT)
    swapped = [
        by_purpose(rows, Purpose.CHECK),
        replace(pepper, sealed=tenant.sealed),
        replace(tenant, sealed=pepper.sealed),
    ]
    with pytest.raises(CannotOpen):
        Keyring.open(ROOT, swapped)


def test_a_new_version_works_at_once_and_after_opening_again(rows: tuple[SealedKey, ...]) -> None:
    ring = Keyring.open(ROOT, rows)
    row = ring.add(Purpose.TENANT, os.urandom, 7, ORGANISATION)
    assert row.id == row_id(Purpose.TENANT, 2, ORGANISATION)
    assert ring.newest_tenant_version(ORGANISATION) == 2
    again = Keyring.open(ROOT, [*rows, row])
    assert again.tenant_key(ORGANISATION, 2) == ring.tenant_key(ORGANISATION, 2)
    assert again.tenant_key(ORGANISATION, 1) == ring.tenant_key(ORGANISATION, 1)


def test_an_unknown_tenant_has_no_key(rows: tuple[SealedKey, ...]) -> None:
    ring = Keyring.open(ROOT, rows)
    assert ring.newest_tenant_version("other") == 0
    with pytest.raises(CannotOpen, match="no tenant key"):
        ring.tenant_key("other", 1)


def test_signing_keys_are_kept_by_version(rows: tuple[SealedKey, ...]) -> None:
    ring = Keyring.open(ROOT, rows)
    row = ring.add(Purpose.SIGNING, os.urandom, 7)
    assert set(ring.signing_keys()) == {1}
    assert Keyring.open(ROOT, [*rows, row]).signing_keys() == ring.signing_keys()


def test_no_key_is_seen_by_accident(rows: tuple[SealedKey, ...]) -> None:
    ring = Keyring.open(ROOT, rows)
    shown = f"{ROOT!r} {ROOT} {ring!r} {ring}"
    assert "\\x01" not in shown
    assert ROOT.id in shown
    with pytest.raises(TypeError):
        pickle.dumps(ROOT)


def test_a_root_key_has_32_bytes_and_a_name_of_its_own() -> None:
    assert ROOT.id != OTHER.id
    assert ROOT.id.startswith("rk_")
    assert len(ROOT.id) == 7
    with pytest.raises(ValueError, match="32 bytes"):
        RootKey(b"short")
