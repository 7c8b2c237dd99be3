"""Who reads the journals of a machine."""

from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.segments import Segments
from clavero.bootstrap.reading import needs_server, open_reading
from clavero.control.reclaim import End
from clavero.domain.ledger import BootId
from clavero.domain.startup import StartFailure
from clavero.settings import Control, Ledger, Settings, Storage
from clavero.testing.journals import PlainJournal
from clavero.testing.ledgers import SqliteTestLedger
from clavero.wire.journal import Seal

A = BootId("a" * 32)


def settings(folder: Path, url: str = "", plane: str = "here") -> Settings:
    return Settings(
        storage=Storage(data_dir=str(folder), database_url=url),
        control=Control(plane="elsewhere" if plane == "elsewhere" else "here"),
        ledger=Ledger(stale_seconds=30),
    )


async def test_journals_of_this_directory_are_read_and_their_boots_closed(tmp_path: Path) -> None:
    ledger = SqliteTestLedger(tmp_path / "clavero.db", SystemClock())
    reading = open_reading(settings(tmp_path))
    journal = PlainJournal(tmp_path / "journal", A)
    ledger.lender(Segments(tmp_path / "journal").place).register(A, "w")
    journal.tick(Seal(9))
    journal.die()
    steps = [step for _ in range(3) for step in reading.reclaim.sweep()]
    assert [step.end for step in steps] == [End.CLOSED]
    await reading.close()
    ledger.close()


async def test_a_database_that_is_away_at_the_end_keeps_nobody(tmp_path: Path) -> None:
    await open_reading(settings(tmp_path)).close()


def test_two_machines_share_a_server_and_never_a_file(tmp_path: Path) -> None:
    needs_server(settings(tmp_path))
    needs_server(settings(tmp_path, "postgresql://db/clavero", "elsewhere"))
    with pytest.raises(StartFailure) as caught:
        needs_server(settings(tmp_path, plane="elsewhere"))
    assert caught.value.code == "needs_server"
