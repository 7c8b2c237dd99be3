"""The `Archive` on PostgreSQL: a day of records is taken off its table and dropped whole."""

from clavero.adapters.storage.archive import SqlArchive
from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Session
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.adapters.storage.usage_days import DAYS, TURN, dropping, name_of, open_days
from clavero.ports.clock import Clock

# Taking a partition off waits for whoever reads the table, and whoever comes after waits too: not for longer than this.
_BRIEFLY = Statement("SET LOCAL lock_timeout = '50ms'")


class PostgresArchive(SqlArchive):
    """A connection of retention's own to the server."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(PostgresDatabase(url), clock)

    def open_days(self, first: int, count: int) -> None:
        """Make the partitions of some days, before a row needs them."""
        with self._database.transaction() as session:
            open_days(session, range(first, first + count))

    def _drop_records(self, session: Session, before_day: int, most: int) -> int:
        """One partition, whole; in two steps, so that its files go while nobody waits."""
        del most
        session.rows(TURN, {})
        old = [(day, attached) for day, attached in session.rows(DAYS, {}) if day < before_day]
        if not old:
            return 0
        day, attached = old[0]
        if attached:
            session.change(_BRIEFLY, {})
            session.change(Statement(f'ALTER TABLE usage DETACH PARTITION "{name_of(day)}"'), {})
        else:
            for statement in dropping(day):
                session.change(Statement(statement), {})
        return 1
