"""What stands beside the database: whole, its owner's alone, and nothing where it cannot be read."""

import stat
from pathlib import Path

import pytest

from clavero.adapters.storage.epochs import Epochs
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.domain.epochs import Standing, standing
from clavero.domain.ledger import BootId, Place, Position
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import SqliteTestLedger

BOOT = BootId("a" * 32)


@pytest.fixture
def epochs(tmp_path: Path) -> Epochs:
    SqliteTestLedger(tmp_path / "clavero.db", StoppedClock()).close()
    return Epochs(tmp_path / "epoch", SqliteDatabase(tmp_path / "clavero.db", StoppedClock()))


def test_what_is_kept_is_what_was_found(epochs: Epochs, tmp_path: Path) -> None:
    look = epochs.look()
    assert (look.found.epoch, look.kept) == (1, None)
    epochs.keep(look.found)
    assert epochs.look().kept == look.found
    assert stat.S_IMODE((tmp_path / "epoch").stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".epoch*"))


@pytest.mark.parametrize("spoilt", [b"", b"{", b'{"instance":7}', b"\xff\xfe"])
def test_what_cannot_be_read_counts_as_nothing_kept(epochs: Epochs, tmp_path: Path, spoilt: bytes) -> None:
    epochs.keep(epochs.look().found)
    (tmp_path / "epoch").write_bytes(spoilt)
    assert epochs.kept() is None
    assert standing(epochs.look()) is Standing.NEW


def test_a_gap_is_skipped_from_where_the_database_is_and_only_from_there(epochs: Epochs) -> None:
    epochs.adopt([BOOT], Place("home", "kernel"))
    epochs.skip(BOOT, Position(4, 0), Position(9, 0))
    assert epochs.pin("a").boots == {BOOT: 0}
    epochs.skip(BOOT, Position(0, 0), Position(3, 0))
    assert epochs.pin("a").boots == {BOOT: 3}


def test_an_old_backup_keeps_nothing_any_more(epochs: Epochs) -> None:
    epochs.pin("a")
    assert [pin.id for pin in epochs.pins(1.0)] == ["a"]
    assert epochs.pins(-1.0) == []


def test_a_database_that_is_away_is_a_connection_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        Epochs(tmp_path / "epoch", SqliteDatabase(tmp_path / "no.db", StoppedClock(), patience=0.01)).look()
