"""Transactions on the one SQLite file: `BEGIN IMMEDIATE`, WAL, every commit on the disk before it is answered.

SQLite has one writer and an unfair busy handler that sleeps ever longer; a lock that is held for 5 ms a turn is had
soonest by asking every millisecond.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from clavero.adapters.storage.ledger_sql import Dialect, Statement
from clavero.adapters.storage.session import Away, OutcomeUnknown, Refused, Values, named, positional
from clavero.ports.clock import Clock

_RETRY_SECONDS = 0.001
_CACHE_KIB = 8 * 1024
_Bad = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, OverflowError, UnicodeError)


class SqliteSession:
    """One transaction; `:now` is the machine's clock, since SQLite means one machine."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def rows(self, statement: Statement, values: Values) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._run(statement, values).fetchall()

    def change(self, statement: Statement, values: Values) -> int:
        """Run one statement; returns how many rows it changed."""
        return self._run(statement, values).rowcount

    def many(self, statement: Statement, values: Iterable[Values]) -> None:
        """Run a statement once for each set of values."""
        try:
            text, ordered = positional(statement)
            self._connection.executemany(text, map(ordered, values))
        except _Bad as error:
            raise Refused(str(error)) from error

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that is undone alone where it raises."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._connection.execute("RELEASE part")

    def _run(self, statement: Statement, values: Values) -> sqlite3.Cursor:
        try:
            return self._connection.execute(named(statement, Dialect.SQLITE), {**values, "now": self._clock.wall_ns()})
        except _Bad as error:
            raise Refused(str(error)) from error


class SqliteDatabase:
    """One connection to the file, which must exist: a worker never creates a database."""

    def __init__(self, path: Path, clock: Clock, patience: float = 1.0) -> None:
        self._path = path
        self._clock = clock
        self._patience = patience  # seconds that a lock is waited for
        self._connection: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[SqliteSession]:
        """Take the write lock, run, commit."""
        connection = self._begin("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield SqliteSession(connection, self._clock)
        except sqlite3.Error as error:
            self._drop()
            raise Away(str(error)) from error
        except BaseException:
            self._roll_back(connection)
            raise
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._drop()
            raise OutcomeUnknown(str(error)) from error

    def close(self) -> None:
        """Let the file go."""
        self._drop()

    def _begin(self, how: str) -> sqlite3.Connection:
        give_up = self._clock.monotonic_ns() + int(self._patience * 1e9)
        while True:
            try:
                connection = self._connection or self._open()
                connection.execute(how)
            except sqlite3.Error as error:
                if not _is_busy(error) or self._clock.monotonic_ns() >= give_up:
                    self._drop()
                    raise Away(str(error)) from error
                time.sleep(_RETRY_SECONDS)
            else:
                return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
