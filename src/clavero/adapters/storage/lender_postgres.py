"""The `Lender` on PostgreSQL."""

from clavero.adapters.storage.lender import SqlLender
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.domain.ledger import Place


class PostgresLender(SqlLender):
    """A worker's own connection to the server."""

    def __init__(self, url: str, place: Place) -> None:
        super().__init__(PostgresDatabase(url), place, reconnect=True)
