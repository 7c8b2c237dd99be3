"""What is the file's own: its data version tells of a commit, and a file that is away is waited for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.publication_sqlite import DataVersion, SqlitePublication
from clavero.adapters.storage.store import sqlite_store
from clavero.domain.organisation import Team
from clavero.testing.clock import StoppedClock


@pytest.fixture
def version(tmp_path: Path) -> Iterator[DataVersion]:
    made = DataVersion(tmp_path / "clavero.db")
    yield made
    made.close()


async def test_the_version_moves_with_a_commit_and_only_then(version: DataVersion, tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "clavero.db")
    await store.open()
    version.wait(1.0)
    assert not version._moved()
    async with store.write() as change:
        await change.put(Team(name="x"))
        assert not version._moved(), "it is not committed yet"
    assert version._moved()
    assert not version._moved()
    await store.close()


def test_a_file_that_is_not_there_is_waited_for_and_not_made(version: DataVersion, tmp_path: Path) -> None:
    version.wait(0.1)
    assert not version._moved()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_away(tmp_path: Path) -> None:
    file = tmp_path / "clavero.db"
    file.write_bytes(b"no database" * 500)
    publication = SqlitePublication(file, SystemClock())
    with pytest.raises(ConnectionError):
        publication.load()
    publication.close()


async def test_the_log_is_read_once_a_second_though_the_version_never_moves(tmp_path: Path) -> None:
    """A signal that fails costs a second, not a revocation."""
    store, clock = sqlite_store(tmp_path / "clavero.db"), StoppedClock()
    await store.open()
    publication = SqlitePublication(tmp_path / "clavero.db", clock)
    seq, _ = publication.load()
    waits: list[float] = []

    def silent(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds)

    publication._signal = silent
    assert publication.wait(seq, 2.5) == []
    assert waits == [1.0, 1.0, 0.5]
    publication.close()
    await store.close()
