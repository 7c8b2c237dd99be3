"""One state of a whole database, read table by table while everything goes on.

On SQLite a private copy is made first, by the backup interface in small steps under one read transaction: nobody waits
for it, since readers of a write-ahead log block no writer, and the log need not grow for longer than the copy takes.
On PostgreSQL it is one REPEATABLE READ transaction.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg

from clavero.adapters.storage.backup_file import Row
from clavero.domain.startup import StartFailure

BLOCK = 2000  # rows
_PAGES = 256  # a megabyte a step
_PAUSE_SECONDS = 0.002
_OPTIONS = (
    "-c timezone=UTC -c application_name=clavero-db -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
)

Blocks = Generator[list[Row], None, None]
Copied = Callable[[int, int], None]  # pages copied, pages in all


class Snapshot(Protocol):
    """A database as it was at one moment."""

    database: str

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of every table."""
        ...

    def ask(self, query: str) -> list[Row]:
        """The rows of a query that both databases understand."""
        ...

    def blocks(self, table: str, columns: tuple[str, ...]) -> Blocks:
        """Every row of a table, some hundred at a time: whole numbers, texts, bytes, truths, None."""
        ...


@contextlib.contextmanager
def of_file(file: Path, scratch: Path, copied: Copied) -> Iterator[Snapshot]:
    """The state of a SQLite file; `scratch` holds the private copy and is gone afterwards."""
    try:
        _copy(file, scratch, copied)
        connection = sqlite3.connect(scratch)
        try:
            [(verdict,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                fix = "restore a backup: clavero db restore FILE --replace"
                raise StartFailure("database_damaged", f"the database is damaged: {verdict}", fix)
            yield _FileSnapshot(connection)
        finally:
            connection.close()
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            scratch.with_name(scratch.name + ending).unlink(missing_ok=True)


@contextlib.contextmanager
def of_server(url: str) -> Iterator[Snapshot]:
    """The state of a database on a server."""
    connection = psycopg.connect(url, options=_OPTIONS, connect_timeout=10, autocommit=True)
    try:  # its own `with` would roll back, and wait for ever behind a copy that was left in the middle
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield _ServerSnapshot(connection)
    finally:
        connection.close()


def _copy(file: Path, scratch: Path, copied: Copied) -> None:
    source = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=10, isolation_level=None)
    try:
        target = sqlite3.connect(scratch)
        try:
            # The reader's transaction holds the state still; without it every commit would begin the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            target.execute("PRAGMA synchronous=OFF")
            source.backup(
                target, pages=_PAGES, sleep=_PAUSE_SECONDS, progress=lambda _, left, whole: copied(whole - left, whole)
            )
        finally:
            target.close()
    finally:
        source.close()


class _FileSnapshot:
    database = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> dict[str, tuple[str, ...]]:
        found = self.ask(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
        return {name: tuple(column for column, _ in self._columns(name)) for (name,) in found}

    def ask(self, query: str) -> list[Row]:
        return self._connection.execute(query).fetchall()

    def blocks(self, table: str, columns: tuple[str, ...]) -> Blocks:
        truths = [at for at, (_, kind) in enumerate(self._columns(table)) if kind.upper() == "BOOLEAN"]
        cursor = self._connection.execute("SELECT " + quoted(columns) + " FROM " + quoted([table]))  # noqa: S608 - names of the schema
        while rows := cursor.fetchmany(BLOCK):
            yield [_with_truths(row, truths) for row in rows] if truths else rows

    def _columns(self, table: str) -> list[tuple[str, str]]:
        return self._connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()


class _ServerSnapshot:
    database = "postgresql"

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def tables(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(column for column, _ in columns) for name, columns in columns_of(self._connection).items()}

    def ask(self, query: str) -> list[Row]:
        return self._connection.execute(query.encode()).fetchall()

    def blocks(self, table: str, columns: tuple[str, ...]) -> Blocks:
        kinds = dict(columns_of(self._connection)[table])
        query = "COPY (SELECT " + quoted(columns) + " FROM " + quoted([table]) + ") TO STDOUT (FORMAT BINARY)"  # noqa: S608 - names of the schema
        with self._connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
            copy.set_types([kinds[column] for column in columns])
            block: list[Row] = []
            for row in copy.rows():
                block.append(row)
                if len(block) == BLOCK:
                    yield block
                    block = []
            if block:
                yield block


def columns_of(connection: psycopg.Connection) -> dict[str, list[tuple[str, str]]]:
    """Name and type of every column of every table of the schema in use; partitions are read through their table."""
    found = connection.execute(
        """SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname, a.attnum"""
    )
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in found:
        tables.setdefault(table, []).append((column, kind))
    return tables


def quoted(names: tuple[str, ...] | list[str]) -> str:
    """Names as SQL takes them, whatever is in them."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


def _with_truths(row: Row, at: list[int]) -> tuple[Any, ...]:
    changed = list(row)
    for place in at:
        changed[place] = None if row[place] is None else bool(row[place])
    return tuple(changed)
