"""Transactions on PostgreSQL: READ COMMITTED with explicit row locks, bounded so that nobody stops everybody.

A process that is stopped inside a transaction would hold its row locks for as long as it sleeps; the server ends such
a session after a second, and whoever wakes up without one connects anew and reads again. The driver ends a batch with a
flush behind its sync, and the server then waits without that limit: an empty statement after each batch brings it back.
Whoever stops in the middle of a batch is ended by the limit of the whole transaction, which servers have from 17 on.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Away, OutcomeUnknown, Refused, Values, percent

_OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "idle_in_transaction_session_timeout=1s",
        "statement_timeout=5s",
        "synchronous_commit=on",
        "default_transaction_isolation=read\\ committed",
        "timezone=UTC",
        "application_name=clavero",  # a migration asks who else is here
    )
)
_TRANSACTION = "SET transaction_timeout = '10s'"
_TRANSACTION_SINCE = 170_000
_Bad = (psycopg.IntegrityError, psycopg.DataError, OverflowError, UnicodeError)


class PostgresSession:
    """One transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def rows(self, statement: Statement, values: Values) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._run(statement, values).fetchall()

    def change(self, statement: Statement, values: Values) -> int:
        """Run one statement; returns how many rows it changed."""
        return self._run(statement, values).rowcount

    def many(self, statement: Statement, values: Iterable[Values]) -> None:
        """Run a statement once for each set of values, in two round trips."""
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(percent(statement), list(values))
            self._connection.execute("")
        except _Bad as error:
            raise Refused(str(error)) from error

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that is undone alone where it raises."""
        with self._connection.transaction():
            yield

    def _run(self, statement: Statement, values: Values) -> psycopg.Cursor:
        try:
            return self._connection.execute(percent(statement), values)
        except _Bad as error:
            raise Refused(str(error)) from error


class PostgresDatabase:
    """One connection; a URL `postgresql://…`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[PostgresSession]:
        """Begin, run, commit."""
        connection = self._begin("BEGIN" if write else "BEGIN READ ONLY")
        try:
            yield PostgresSession(connection)
        except psycopg.Error as error:
            self._drop()
            raise Away(str(error)) from error
        except BaseException:
            self._roll_back(connection)
            raise
        try:
            connection.commit()
        except psycopg.Error as error:
            self._drop()
            raise OutcomeUnknown(str(error)) from error

    def close(self) -> None:
        """End the session."""
        self._drop()

    def _begin(self, how: str) -> psycopg.Connection:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            self._connection.execute(how)
        except psycopg.Error as error:
            self._drop()
            raise Away(str(error)) from error
        return self._connection

    def _connect(self) -> psycopg.Connection:
        made = psycopg.connect(self._url, autocommit=True, options=_OPTIONS, connect_timeout=3, prepare_threshold=2)
        if made.info.server_version >= _TRANSACTION_SINCE:
            made.execute(_TRANSACTION)
        return made

    def _roll_back(self, connection: psycopg.Connection) -> None:
        try:
            connection.rollback()
        except psycopg.Error:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
