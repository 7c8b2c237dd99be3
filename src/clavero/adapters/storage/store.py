"""The control plane's store on SQLAlchemy Core: SQLite by default, PostgreSQL by URL; the same few verbs on both."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection, event, insert, inspect, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from clavero.adapters.storage import queries
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.rows import BY_TYPE, from_row, identity, to_row
from clavero.adapters.storage.tables import CHANGE_LOG, META, METADATA, SCHEMA_VERSION, TABLES
from clavero.domain.audit import BEGINNING, AuditRow
from clavero.domain.refusals import StorageUnavailable
from clavero.domain.startup import StartFailure

T = TypeVar("T", bound=Struct)

CHANNEL = "clavero_changes"
_AUDIT = TABLES[AuditRow]


class SqlReading:
    """One consistent look."""

    def __init__(self, connection: AsyncConnection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect

    async def get(self, kind: type[T], identity: str) -> T | None:
        """The object with this id."""
        table, stored = TABLES[kind], BY_TYPE[kind]
        row = (await self._connection.execute(select(table).where(table.c[stored.primary] == identity))).first()
        return from_row(kind, row) if row is not None else None

    async def find(self, kind: type[T], **equal: object) -> list[T]:
        """The objects whose columns have these values, in the order of their ids."""
        table, stored = TABLES[kind], BY_TYPE[kind]
        query = select(table).order_by(table.c[stored.primary])
        for name, value in equal.items():
            query = query.where(table.c[name] == value)
        return [from_row(kind, row) for row in await self._connection.execute(query)]

    async def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Rows of a named query; `usage_by:service,model` is the report by these groups."""
        name, _, groups = query.partition(":")
        sql = queries.by_groups(groups.split(",")) if groups else queries.QUERIES[name]
        return [dict(row) for row in (await self._connection.execute(text(sql), values)).mappings()]


class SqlWriting(SqlReading):
    """One transaction that may change things."""

    def name_of(self, thing: Struct) -> tuple[str, str]:
        """The kind and id of an object."""
        return BY_TYPE[type(thing)].table, identity(thing)

    async def put(self, thing: Struct) -> None:
        """Create or replace."""
        table, stored, row = TABLES[type(thing)], BY_TYPE[type(thing)], to_row(thing)
        make: Any = sqlite.insert if self._dialect is Dialect.SQLITE else postgresql.insert
        changed = {name: value for name, value in row.items() if name != stored.primary}
        query = make(table).values(row).on_conflict_do_update(index_elements=[stored.primary], set_=changed)
        await self._connection.execute(query)

    async def delete(self, kind: type[Struct], identity: str) -> None:
        """Remove."""
        table = TABLES[kind]
        await self._connection.execute(table.delete().where(table.c[BY_TYPE[kind].primary] == identity))

    async def log(self, kind: str, identity: str, at_ns: int) -> None:
        """Add to the change log; on PostgreSQL listeners are told at the commit."""
        await self._connection.execute(insert(CHANGE_LOG).values(kind=kind, id=identity, at_ns=at_ns))
        if self._dialect is Dialect.POSTGRESQL:
            await self._connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})

    async def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest audit row. SQLite has one writer; PostgreSQL locks a row of `meta`."""
        if self._dialect is Dialect.POSTGRESQL:
            await self._connection.execute(select(META).where(META.c.name == "schema").with_for_update())
        query = select(_AUDIT.c.seq, _AUDIT.c.hash).order_by(_AUDIT.c.seq.desc()).limit(1)
        row = (await self._connection.execute(query)).first()
        return (row.seq, row.hash) if row is not None else (0, BEGINNING)

    async def run(self, statement: str, **values: object) -> None:
        """Run a named statement."""
        for sql in queries.statement(statement, self._dialect):
            names = {name: value for name, value in values.items() if f":{name}" in sql}
            await self._connection.execute(text(sql), names)


class SqlStore:
    """The database. `open` makes the schema at a first start and refuses one that this version does not know."""

    def __init__(self, engine: AsyncEngine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect

    async def open(self) -> None:
        """Make or check the schema; `StartFailure` where it is not ours to use."""
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(_prepare)
        except (OperationalError, OSError) as error:
            raise _cannot_open(error) from None

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[SqlReading]:
        """A look; `StorageUnavailable` where the database is away."""
        with _worded():
            async with self._engine.connect() as connection:
                await connection.execution_options(look=True)
                yield SqlReading(connection, self._dialect)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[SqlWriting]:
        """A transaction; committed when the block ends well, undone when it does not."""
        with _worded():
            async with self._engine.begin() as connection:
                yield SqlWriting(connection, self._dialect)

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()


def sqlite_store(file: Path) -> SqlStore:
    """A store in one file: WAL, every commit on the disk before it is answered."""
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(file)), connect_args={"timeout": 10})

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute("PRAGMA " + pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begins(connection: Connection) -> None:
        look = connection.get_execution_options().get("look")
        connection.exec_driver_sql("BEGIN" if look else "BEGIN IMMEDIATE")

    return SqlStore(engine, Dialect.SQLITE)


def postgres_store(url: str) -> SqlStore:
    """A store on a server; `postgresql://…`, read committed."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    return SqlStore(engine, Dialect.POSTGRESQL)


def _prepare(connection: Connection) -> None:
    found = inspect(connection).get_table_names()
    if "meta" not in found:
        METADATA.create_all(connection)
        LEDGER_METADATA.create_all(connection)
        connection.execute(insert(META).values(name="schema", value=str(SCHEMA_VERSION)))
        return
    known = connection.execute(select(META.c.value).where(META.c.name == "schema")).scalar_one()
    if int(known) > SCHEMA_VERSION:
        message = f"database schema {known}, this clavero knows {SCHEMA_VERSION}"
        raise StartFailure("database_newer", message, "install a later clavero. Nothing was changed.")
    if int(known) < SCHEMA_VERSION:
        message = f"database schema {known}, this clavero needs {SCHEMA_VERSION}"
        raise StartFailure("database_older", message, "clavero db migrate")


@contextlib.contextmanager
def _worded() -> Any:
    """What the driver says of a lost or full database, in our words."""
    try:
        yield
    except (OperationalError, OSError) as error:
        raise StorageUnavailable(_why(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StorageUnavailable from error
        raise


def _why(error: Exception) -> str:
    told = str(error).lower()
    if "full" in told or "no space" in told:
        return "is full"
    if "readonly" in told or "read-only" in told:
        return "is read-only"
    return "is busy" if "locked" in told else "is away"


def _cannot_open(error: Exception) -> StartFailure:
    return StartFailure("database_unavailable", f"the database {_why(error)}", "free space or restore it, then repeat")
