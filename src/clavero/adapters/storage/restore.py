"""Bringing a backup back, into either database: all of it or nothing, and what was there is moved aside, not removed.

Into SQLite: a new file is filled, put on the disk, and takes the name in one rename. Into PostgreSQL: one transaction
moves the old tables to a schema of their own, makes new ones and fills them. The schema is that of the backup's own
version; migrations follow. The new database says that it is a restored one: a higher epoch, a higher incarnation.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psycopg
from msgspec import Struct

from clavero.adapters.storage.backup_file import Archive, Row
from clavero.adapters.storage.frozen import frozen
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.snapshot import columns_of, quoted
from clavero.domain.startup import Exit, StartFailure

Told = Callable[[str, int], None]
_OPTIONS = (
    "-c timezone=UTC -c application_name=clavero-db -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    " -c lock_timeout=10s"
)
_END = ";\n"


class Aside(Struct, frozen=True):
    """What stands where a restore would go, and where it would be moved: "" where there is nothing."""

    rows: int = 0
    place: str = ""


def into_file(archive: Archive, file: Path, epoch: int, told: Told) -> Path:
    """Fill a new file beside the database; it has its name only after `put_in_place`. Returns it."""
    draft = file.with_name(f".{file.name}.restore")
    remove_file(draft)
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        draft.chmod(0o600)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            connection.execute("PRAGMA " + pragma)
        connection.execute("BEGIN")
        for statement in _statements(archive, Dialect.SQLITE):
            connection.execute(statement)
        known = {
            name: {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }
        for name, columns, blocks in _tables(archive, known, told):
            places = ", ".join("?" * len(columns))
            query = "INSERT INTO " + quoted([name]) + " (" + quoted(columns) + ") VALUES (" + places + ")"  # noqa: S608 - names of the schema
            for block in blocks:
                connection.executemany(query, block)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (str(epoch),))
        connection.execute("UPDATE boot SET incarnation = incarnation + 1")
        connection.execute("COMMIT")
    return draft


def put_in_place(draft: Path, file: Path, aside: Path) -> None:
    """Give the new file its name; the old one, with what its log still holds, stays as `aside`."""
    with contextlib.closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    remove_file(draft, keep=True)
    _sync(draft)
    if file.exists():
        aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.link(file, aside)  # two names for a moment: at no time is there no database
        for ending in ("-wal", "-shm"):  # only a damaged one, or one that was killed, still has them
            with contextlib.suppress(FileNotFoundError):
                file.with_name(file.name + ending).rename(aside.with_name(aside.name + ending))
        _sync(aside.parent)
    draft.replace(file)
    _sync(file.parent)


def remove_file(file: Path, *, keep: bool = False) -> None:
    """Remove a SQLite file and its logs; the logs alone with `keep`."""
    endings = ("-wal", "-shm", "-journal") if keep else ("", "-wal", "-shm", "-journal")
    for ending in endings:
        file.with_name(file.name + ending).unlink(missing_ok=True)


def into_server(archive: Archive, url: str, epoch: int, aside: str, told: Told) -> None:
    """Fill a database on a server in one transaction; tables that are there move to the schema `aside`."""
    with _connected(url) as connection, connection.transaction():
        present = sorted(_relations(connection))
        if present:
            _elsewhere(connection)
            connection.execute(("CREATE SCHEMA " + quoted([aside])).encode())
            for name in present:
                connection.execute(("ALTER TABLE " + quoted([name]) + " SET SCHEMA " + quoted([aside])).encode())
        for statement in _statements(archive, Dialect.POSTGRESQL):
            connection.execute(statement.encode())
        kinds = columns_of(connection)
        known = {name: {column for column, _ in columns} for name, columns in kinds.items()}
        by_day = _partitioned(connection)
        for name, columns, blocks in _tables(archive, known, told):
            query = "COPY " + quoted([name]) + " (" + quoted(columns) + ") FROM STDIN (FORMAT BINARY)"
            types = [dict(kinds[name])[column] for column in columns]
            for block in blocks:
                if name in by_day:
                    _open_days(connection, name, {row[columns.index("day")] for row in block})
                with connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
                    copy.set_types(types)
                    for row in block:
                        copy.write_row(row)
        _number_on(connection)
        connection.execute("UPDATE meta SET value = %s WHERE name = 'epoch'", (str(epoch),))
        connection.execute("UPDATE boot SET incarnation = incarnation + 1")


def rows_on_server(url: str) -> int:
    """How many tables stand in the way; `StartFailure` where a running clavero uses them."""
    with _connected(url) as connection:
        _elsewhere(connection)
        return len(_relations(connection))


def _tables(
    archive: Archive, known: dict[str, set[str]], told: Told
) -> Iterator[tuple[str, tuple[str, ...], Iterable[list[Row]]]]:
    """Each table of the backup with its blocks; `StartFailure` where the schema has no such table or column."""
    for name, facts in archive.manifest.tables.items():
        if not known.get(name, set()) >= set(facts.columns):
            message = f"{archive.file}: schema {archive.manifest.schema} has no table {name} like the one in it"
            raise StartFailure("backup_damaged", message, "install the clavero that made it, restore, then migrate")
        yield name, facts.columns, _counted(name, archive.blocks(name), told)


def _counted(name: str, blocks: Iterable[list[Row]], told: Told) -> Iterator[list[Row]]:
    rows = 0
    for block in blocks:
        yield block
        rows += len(block)
        told(name, rows)


def _statements(archive: Archive, dialect: Dialect) -> list[str]:
    version = archive.manifest.schema
    try:
        return [statement for statement in frozen(dialect, version).split(_END) if statement.strip()]
    except FileNotFoundError:
        message = f"{archive.file} has database schema {version}, which this clavero does not know"
        raise StartFailure("database_newer", message, "install a later clavero. Nothing was changed.") from None


@contextlib.contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, options=_OPTIONS, connect_timeout=10, autocommit=True) as connection:
        yield connection


def _relations(connection: psycopg.Connection) -> list[str]:
    found = connection.execute(
        """SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"""
    )
    return [name for (name,) in found]


def _partitioned(connection: psycopg.Connection) -> set[str]:
    """The tables that have a partition for each day."""
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'p'"
    )
    return {name for (name,) in found}


def _open_days(connection: psycopg.Connection, table: str, days: set[int]) -> None:
    for day in sorted(days):
        name = f"{table}_d{day:d}"
        if connection.execute("SELECT to_regclass(%s)", (quoted([name]),)).fetchone() == (None,):
            make = "CREATE TABLE " + quoted([name]) + " (LIKE " + quoted([table]) + " INCLUDING ALL)"
            bounds = f" FOR VALUES FROM ({day:d}) TO ({day + 1:d})"
            attach = "ALTER TABLE " + quoted([table]) + " ATTACH PARTITION " + quoted([name]) + bounds
            connection.execute(make.encode())
            connection.execute(attach.encode())


def _elsewhere(connection: psycopg.Connection) -> None:
    found = connection.execute(
        """SELECT DISTINCT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'clavero' ORDER BY 1"""
    ).fetchall()
    if found:
        message = f"clavero uses this database from {', '.join(address for (address,) in found)}"
        raise StartFailure("already_running", message, "stop it there, then repeat", Exit.ALREADY_RUNNING)


def _number_on(connection: psycopg.Connection) -> None:
    """Let every counter go on behind the highest number that was brought back."""
    found = connection.execute(
        """SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL"""
    ).fetchall()
    for table, column, sequence in found:
        query = "SELECT setval(%s, coalesce(max(" + quoted([column]) + "), 0) + 1, false) FROM " + quoted([table])  # noqa: S608 - names of the schema
        connection.execute(query.encode(), (sequence,))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
