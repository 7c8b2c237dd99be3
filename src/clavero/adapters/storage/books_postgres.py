"""The `Books` on PostgreSQL."""

from clavero.adapters.storage.books import SqlBooks
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.ports import Clock


class PostgresBooks(SqlBooks):
    """A connection of ingest's own to the server."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(PostgresDatabase(url), clock)
