"""Backups: listed, verified, and nothing left of those that failed."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS
from tests.contract.adapters.storage.test_restore import base_of, quiet, state_of, taken

from clavero.adapters.storage import backup
from clavero.domain.startup import StartFailure


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_says_whose_it_is_and_up_to_where(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of(kind, tmp_path, request)
    with base.engine.begin() as connection:
        boot, seg, off = connection.execute(text("SELECT boot_id, seg, off FROM boot")).one()
        seq, digest = connection.execute(text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")).one()
    told = taken(base, tmp_path).manifest
    assert told.schema == 1
    assert told.database == ("postgresql" if kind == "postgres" else "sqlite")
    assert told.boots == {boot: (seg, off)}
    assert (told.audit_seq, told.audit_hash) == (seq, digest)
    assert told.root_keys == ("rk_3315",)
    assert backup.verify(tmp_path / "a.clavero", quiet) == told


def test_an_audit_chain_that_was_broken_before_the_backup_is_found_by_verifying(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = base_of("sqlite", tmp_path, request)
    with base.engine.begin() as connection:
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 5"))
    taken(base, tmp_path)
    with pytest.raises(StartFailure) as caught:
        backup.verify(tmp_path / "a.clavero", quiet)
    assert "row 5" in caught.value.message


def test_a_list_shows_whole_ones_and_broken_ones(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    taken(base_of("sqlite", tmp_path, request), tmp_path)
    (tmp_path / "b.clavero").write_bytes(b"PK")
    (tmp_path / ".c.clavero.part").touch()
    found = {one.file.name: one for one in backup.listed(tmp_path)}
    assert set(found) == {"a.clavero", "b.clavero"}
    assert found["a.clavero"].manifest is not None
    assert found["b.clavero"].manifest is None
    assert "no backup" in found["b.clavero"].damage


def test_what_a_killed_one_left_is_cleared_by_the_next_of_its_name(tmp_path: Path) -> None:
    for name in (".a.clavero.part", ".a.clavero.copy", ".a.clavero.copy-wal", ".b.clavero.part"):
        (tmp_path / name).touch()
    backup.clear_leftovers(tmp_path, "a.clavero")
    assert [path.name for path in tmp_path.iterdir()] == [".b.clavero.part"]


def test_a_full_disk_leaves_no_half_backup(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of("sqlite", tmp_path, request)

    def full(table: str, _rows: int) -> None:
        if table == "sealed_key":
            raise OSError(28, "No space left on device")

    with state_of(base, tmp_path) as state, pytest.raises(OSError, match="No space"):
        backup.write(state, tmp_path / "a.clavero", 5, full)
    assert not list(tmp_path.glob("*.clavero")) + list(tmp_path.glob(".a.clavero.part"))
