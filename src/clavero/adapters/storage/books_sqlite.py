"""The `Books` on the one SQLite file."""

from pathlib import Path

from clavero.adapters.storage.books import SqlBooks
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.ports.clock import Clock


class SqliteBooks(SqlBooks):
    """A connection of ingest's own to the file."""

    def __init__(self, path: Path, clock: Clock, patience: float = 5.0) -> None:
        super().__init__(SqliteDatabase(path, clock, patience), clock)
