"""Empty databases of both kinds, and old ones with what they held."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Boolean, Connection, Engine, MetaData, Table, inspect, select, text

from clavero.adapters.storage.engines import postgres_engine, sqlite_engine
from clavero.adapters.storage.frozen import make_version
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.schema import stamp_first

KINDS = ("sqlite", "postgres")
OLD = Path(__file__).parent / "old"
NEXT = Path(__file__).parent / "next"  # scripts that a later release could have


class Base(NamedTuple):
    """A database for one test."""

    engine: Engine
    dialect: Dialect
    url: str  # of a server; "" for a file

    def tables(self) -> list[str]:
        with self.engine.begin() as connection:
            return sorted(inspect(connection).get_table_names())


def empty(kind: str, folder: Path, url: str) -> Base:
    """A database with nothing in it; `url` is used for a server alone."""
    if kind == "sqlite":
        return Base(sqlite_engine(folder / "clavero.db"), Dialect.SQLITE, "")
    url = own_database(url)
    engine = postgres_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return Base(engine, Dialect.POSTGRESQL, url)


def own_database(url: str) -> str:
    """A database of our own on the server: the other one keeps the tables of whoever made them there once."""
    own = url.replace("/postgres?", "/migrated?")
    if own != url:
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'migrated'").fetchall():
                connection.execute("CREATE DATABASE migrated")
    return own


def versions() -> list[int]:
    """The versions that a database with rows is kept of."""
    return sorted(int(file.stem) for file in OLD.glob("*.jsonl"))


def fill_old(connection: Connection, dialect: Dialect, version: int) -> None:
    """Make a database of a version, with the rows that a clavero of that version left there."""
    make_version(connection, dialect, version)
    known: dict[str, Table] = {}
    for name, row in old_rows(version):
        table = known.get(name)
        if table is None:
            table = known[name] = Table(name, MetaData(), autoload_with=connection)
        truths = {column.name for column in table.c if isinstance(column.type, Boolean)}
        connection.execute(
            table.insert(), {name: bool(value) if name in truths else value for name, value in row.items()}
        )


def old_rows(version: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and row, as they were kept."""
    for line in (OLD / f"{version}.jsonl").read_text().splitlines():
        kept = json.loads(line)
        yield kept["table"], {name: _value(value) for name, value in kept["row"].items()}


def rows_of(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    table = Table(name, MetaData(), autoload_with=connection)
    return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()]


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def with_things(connection: Connection, dialect: Dialect) -> None:
    """A database of version 1 with the table that the scripts of `NEXT` change."""
    make_version(connection, dialect, 1)
    stamp_first(connection, 1)
    connection.execute(text("CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT NOT NULL)"))
    connection.execute(text("INSERT INTO thing VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')"))
