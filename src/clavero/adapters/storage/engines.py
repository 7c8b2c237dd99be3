"""Blocking connections for the verbs of `clavero db`: the same rules as the store's, without a loop."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url

_PATIENCE_SECONDS = 10  # that a lock is waited for


def sqlite_engine(file: Path | None) -> Engine:
    """Connections to one file, or to one in memory; what is not only a look takes the write lock at its beginning."""
    url = URL.create("sqlite+pysqlite", database=str(file or ":memory:"))
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": _PATIENCE_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute("PRAGMA " + pragma).close()

    @event.listens_for(engine, "begin")
    def _begins(connection: Connection) -> None:
        look = connection.get_execution_options().get("look")
        connection.exec_driver_sql("BEGIN" if look else "BEGIN IMMEDIATE")

    return engine


def postgres_engine(url: str) -> Engine:
    """Connections to a server; `postgresql://…`."""
    options = (
        f"-c lock_timeout={_PATIENCE_SECONDS}s -c timezone=UTC -c application_name=clavero-db -c statement_timeout=0"
    )
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"options": options, "connect_timeout": _PATIENCE_SECONDS},
    )


@contextlib.contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """One state of the database for as long as it takes; nobody waits for it."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            yield connection.execution_options(look=True)
