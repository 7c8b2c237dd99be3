"""The `Lender` on the one SQLite file."""

from pathlib import Path

from clavero.adapters.storage.lender import SqlLender
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.domain.ledger import Place
from clavero.ports.clock import Clock


class SqliteLender(SqlLender):
    """A worker's own connection to the file."""

    def __init__(self, path: Path, place: Place, clock: Clock, patience: float = 1.0) -> None:
        super().__init__(SqliteDatabase(path, clock, patience), place)
