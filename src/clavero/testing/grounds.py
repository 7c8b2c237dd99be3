"""What a small world stands on: a ledger in a database of its own whose clock a test holds, and ways to that database.

On PostgreSQL one server serves every world in turn: its sessions are kept and its tables emptied, and a function of the
name `clock_timestamp` stands before the server's own, so that time passes there as the test says.
"""

import shutil
from pathlib import Path
from typing import Protocol

from clavero.adapters.storage.books import MakeDays, SqlBooks
from clavero.adapters.storage.ledger_sql import Dialect, Statement
from clavero.adapters.storage.lender import SqlLender
from clavero.adapters.storage.session import Database
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.adapters.storage.usage_days import open_days
from clavero.domain.ledger import Place
from clavero.ports.ledger import Books, Lender
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import SqliteTestLedger, SqlTestLedger

_CLOCK = """
CREATE SCHEMA IF NOT EXISTS stopped;
CREATE TABLE IF NOT EXISTS stopped.instant (us bigint NOT NULL);
CREATE OR REPLACE FUNCTION stopped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT timestamptz ''epoch'' + us * interval ''1 microsecond'' FROM stopped.instant';
INSERT INTO stopped.instant VALUES (0);
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %%I SET search_path = stopped, pg_catalog, public', current_database());
END $$;
"""
_TELL = Statement("UPDATE stopped.instant SET us = :us")


class Ground(Protocol):
    """A ledger, its clock, and any number of sessions."""

    clock: StoppedClock
    ledger: SqlTestLedger
    make_days: MakeDays | None  # as the books want it

    def database(self) -> Database:
        """One more session, of one thread at a time."""
        ...

    def close(self) -> None:
        """Let go of everything that is not kept for the next world."""
        ...


class SqliteGround:
    """A file; made from a template where there is one, which is faster."""

    make_days: MakeDays | None = None

    def __init__(self, root: Path, template: Path | None = None) -> None:
        self.clock = StoppedClock()
        self._path = root / "clavero.db"
        if template:
            shutil.copy(template, self._path)
        self.ledger: SqlTestLedger = SqliteTestLedger(self._path, self.clock, patience=0)

    def database(self) -> SqliteDatabase:
        """A connection to the file."""
        return SqliteDatabase(self._path, self.clock, 0)

    def close(self) -> None:
        """Close the file."""
        self.ledger.close()


class _Kept(PostgresDatabase):
    """A session that outlives its world."""

    def close(self) -> None:
        """It is used again."""


class _ServerClock(StoppedClock):
    """A stopped clock that a server goes by as well."""

    def __init__(self, server: PostgresDatabase) -> None:
        super().__init__()
        self._server = server
        self._tell()

    def advance(self, seconds: float) -> None:
        """Let time pass, there too."""
        super().advance(seconds)
        self._tell()

    def _tell(self) -> None:
        with self._server.transaction() as session:
            session.change(_TELL, {"us": self.wall_ns() // 1000})


class PostgresGround(SqlTestLedger):
    """A server for one world after the other; `url` is of a database that is ours alone."""

    def __init__(self, url: str) -> None:
        super().__init__(url.replace("postgresql://", "postgresql+psycopg://", 1), Dialect.POSTGRESQL)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(_CLOCK)
        self.make_days: MakeDays | None = open_days
        self.engine.dispose()  # the next connections find the other clock
        self.ledger: SqlTestLedger = self
        self._url = url
        self._sessions: list[_Kept] = []
        self._used = 0
        self._server = _Kept(url)
        self.clock: StoppedClock = _ServerClock(self._server)

    def again(self) -> "PostgresGround":
        """Empty tables, the beginning of time, every session free."""
        self._used = 0
        self._open.clear()
        self.empty()
        self.clock = _ServerClock(self._server)
        return self

    def database(self) -> PostgresDatabase:
        """A session that no other part of this world has."""
        if self._used == len(self._sessions):
            self._sessions.append(_Kept(self._url))
        self._used += 1
        return self._sessions[self._used - 1]

    def close(self) -> None:
        """Nothing: all is kept for the next world."""

    def _lender(self, place: Place) -> Lender:
        return SqlLender(self.database(), place)

    def _new_books(self) -> Books:
        return SqlBooks(self.database(), self.clock, self.make_days)
