"""A database that is away says so; what is common to both stands in test_archive."""

from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.archive_sqlite import SqliteArchive
from clavero.adapters.storage.usage_rows import DAY_NS
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import Posting, Turn
from clavero.domain.retention import Kept
from clavero.domain.usage import Exchange
from clavero.testing.ledgers import SqliteTestLedger


def test_a_file_that_is_not_there_is_away_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        SqliteArchive(tmp_path / "none.db", SystemClock(), patience=0.01).drop(Kept.RECORDS, 1, 1)
    assert list(tmp_path.iterdir()) == []


def test_what_is_freed_is_used_again_by_the_next_rows(tmp_path: Path) -> None:
    """A log that deletes and still grows without bound (litellm#29466)."""
    file = tmp_path / "clavero.db"
    ledger = SqliteTestLedger(file, SystemClock())
    boot = BootId("a" * 32)
    ledger.lender(Place("h", "k")).register(boot, "w")
    books, archive = ledger.books(), SqliteArchive(file, SystemClock())

    def a_day(day: int) -> None:
        made = [Posting(f"r{day}.{n}", Exchange(f"r{day}", day * DAY_NS, service="x" * 200)) for n in range(500)]
        assert books.post(Turn(boot, Position(0, day), Position(0, day + 1), 1, [], made)) is not None

    for day in range(3):
        a_day(day)
    (pages,) = ledger.all("PRAGMA page_count")[0]
    for day in range(3, 12):
        while archive.drop(Kept.RECORDS, day - 2, 100).rows:
            pass
        a_day(day)
    assert ledger.all("PRAGMA page_count")[0][0] <= pages * 1.2
    archive.close()
    ledger.close()
