"""The `Books` on PostgreSQL."""

from clavero.adapters.storage.books import SqlBooks
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.adapters.storage.usage_days import open_days
from clavero.ports.clock import Clock


class PostgresBooks(SqlBooks):
    """A connection of ingest's own to the server; a row of a day finds its partition there."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(PostgresDatabase(url), clock, open_days)
