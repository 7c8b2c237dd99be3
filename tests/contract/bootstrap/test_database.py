"""Backups as the command line takes them."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS, Base, empty, fill_old, rows_of

from clavero.adapters.storage.segments import place
from clavero.bootstrap import database
from clavero.bootstrap.storage import epochs_of, pins_of
from clavero.domain.startup import StartFailure
from clavero.settings import Backup, Settings, Storage


def quiet(*_: object) -> None:
    """Say nothing."""


@pytest.fixture(params=KINDS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    made = empty(request.param, tmp_path, request.getfixturevalue("postgres_url") if request.param != "sqlite" else "")
    with made.engine.begin() as connection:
        fill_old(connection, made.dialect, 1)
    place(tmp_path / "journal")
    return made


@pytest.fixture
def settings(base: Base, tmp_path: Path) -> Settings:
    return Settings(storage=Storage(data_dir=str(tmp_path), database_url=base.url), backup=Backup(keep=2))


def test_a_backup_goes_where_it_is_told_and_is_noted(settings: Settings, base: Base, tmp_path: Path) -> None:
    made = database.take(settings, None, quiet)
    assert made.file.parent == tmp_path / "backup"
    (tmp_path / "other").mkdir()
    assert database.take(settings, tmp_path / "other", quiet).file.parent == tmp_path / "other"
    named = database.take(settings, tmp_path / "mine.clavero", quiet)
    assert named.file == tmp_path / "mine.clavero"
    assert database.verify(named.file, quiet) == named.manifest
    with base.engine.begin() as connection:
        last = rows_of(connection, "audit")[-1]
    assert (last["action"], last["object_id"]) == ("db.backup", "mine.clavero")
    assert named.manifest.audit_seq == last["seq"] - 1


def test_a_backup_pins_what_a_restore_would_read_and_one_that_failed_does_not(
    settings: Settings, tmp_path: Path
) -> None:
    database.take(settings, tmp_path / "a.clavero", quiet)
    assert [pin.id for pin in pins_of(settings)] == ["a.clavero"]

    def fail(_table: str, _rows: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StartFailure) as caught:
        database.take(settings, tmp_path / "b.clavero", fail)
    assert caught.value.code == "backup_unwritable"
    assert "no space left" in caught.value.message
    assert [pin.id for pin in pins_of(settings)] == ["a.clavero"]
    assert not (tmp_path / "b.clavero").exists()


def test_only_the_newest_of_those_that_clavero_took_by_itself_stay(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    for number in range(4):
        made = database.take(settings, folder / f"clavero-{number}.clavero", quiet)
        import os

        os.utime(made.file, (number, number))
    database.take(settings, folder / "mine.clavero", quiet)
    assert [file.name for file in database.prune(settings)] == ["clavero-1.clavero", "clavero-0.clavero"]
    assert {one.file.name for one in database.listed(settings, None)} == {
        "clavero-2.clavero", "clavero-3.clavero", "mine.clavero",
    }  # fmt: skip
    assert {pin.id for pin in pins_of(settings)} == {"clavero-2.clavero", "clavero-3.clavero", "mine.clavero"}


def test_a_place_that_cannot_be_written_is_one_line(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartFailure) as caught:
        database.take(settings, tmp_path / "file" / "b.clavero", quiet)
    assert caught.value.code == "backup_unwritable"


def test_a_half_migrated_database_is_not_backed_up(settings: Settings, base: Base) -> None:
    with base.engine.begin() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('migrating', '2')"))
    with pytest.raises(StartFailure):
        database.take(settings, None, quiet)


def test_the_marks_are_those_of_the_database_that_is_asked_for(settings: Settings) -> None:
    epochs = epochs_of(settings)
    assert epochs.look().found.audit_seq == 14
    epochs.close()


def test_a_backup_is_told_to_programs_without_its_tables(settings: Settings, tmp_path: Path) -> None:
    made = database.take(settings, tmp_path / "a.clavero", quiet)
    told = database.facts(made.manifest)
    assert (told["schema"], told["root_keys"], told["audit_seq"]) == (1, ["rk_3315"], 14)
    assert "tables" not in told
