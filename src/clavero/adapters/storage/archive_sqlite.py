"""The `Archive` on the one SQLite file."""

from pathlib import Path

from clavero.adapters.storage.archive import SqlArchive
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.ports.clock import Clock


class SqliteArchive(SqlArchive):
    """A connection of retention's own to the file."""

    def __init__(self, path: Path, clock: Clock, patience: float = 5.0) -> None:
        super().__init__(SqliteDatabase(path, clock, patience), clock)
