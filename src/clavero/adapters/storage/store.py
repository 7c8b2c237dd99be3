"""The control plane's store on SQLAlchemy Core: SQLite by default, PostgreSQL by URL; the same few verbs on both."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection, event, insert, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from clavero.adapters.storage import queries
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.rows import BY_TYPE, from_row, identity, to_row
from clavero.adapters.storage.schema import prepare
from clavero.adapters.storage.tables import CHANGE_LOG, META, TABLES
from clavero.adapters.storage.wording import opening, worded
from clavero.domain.audit import BEGINNING, AuditRow

T = TypeVar("T", bound=Struct)

CHANNEL = "clavero_changes"
_AUDIT = TABLES[AuditRow]
_PATIENCE_SECONDS = 10  # that a lock is waited for


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value  # PostgreSQL's sum of bigint


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
        for column in stored.columns:
            if column.name in equal:
                query = query.where(table.c[column.name] == column.encode(equal.pop(column.name)))
        if equal:
            raise AttributeError(f"{kind.__name__} has no {', '.join(equal)}")
        return [from_row(kind, row) for row in await self._connection.execute(query)]

    async def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Rows of a named query; `usage_by:service,model` is the report by these groups. Sums are whole numbers."""
        found = await self._connection.execute(text(queries.query(query, self._dialect)), values)
        return [{name: _whole(value) for name, value in row.items()} for row in found.mappings()]


class SqlWriting(SqlReading):
    """One transaction that may change things."""

    def name_of(self, thing: Struct) -> tuple[str, str]:
        """The kind and id of an object."""
        return BY_TYPE[type(thing)].table, identity(thing)

    async def put(self, thing: Struct) -> None:
        """Create or replace."""
        await self.put_all([thing])

    async def put_all(self, things: Sequence[Struct]) -> None:
        """Create or replace objects of one kind, in one statement."""
        kind = type(things[0])
        table, stored = TABLES[kind], BY_TYPE[kind]
        make: Any = sqlite.insert if self._dialect is Dialect.SQLITE else postgresql.insert
        query = make(table)
        changed = {name: query.excluded[name] for name in stored.names if name != stored.primary}
        query = query.on_conflict_do_update(index_elements=[stored.primary], set_=changed)
        await self._connection.execute(query, [to_row(thing) for thing in things])

    async def delete(self, kind: type[Struct], identity: str) -> None:
        """Remove."""
        table = TABLES[kind]
        await self._connection.execute(table.delete().where(table.c[BY_TYPE[kind].primary] == identity))

    async def log(self, kind: str, identity: str, at_ns: int) -> None:
        """Add a row to the change log."""
        await self.log_all([(kind, identity)], at_ns)

    async def log_all(self, names: Sequence[tuple[str, str]], at_ns: int) -> None:
        """Add rows to the change log; on PostgreSQL listeners are told at the commit."""
        rows = [{"kind": kind, "id": identity, "at_ns": at_ns} for kind, identity in names]
        await self._connection.execute(insert(CHANGE_LOG), rows)
        if self._dialect is Dialect.POSTGRESQL:
            await self._connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})

    async def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest audit row; writers come one at a time, so nobody adds another."""
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
        with opening():
            async with self._engine.begin() as connection:
                await connection.run_sync(prepare, self._dialect)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[SqlReading]:
        """A look at one state of things; `StorageUnavailable` where the database is away."""
        with worded():
            async with self._engine.connect() as connection:
                if self._dialect is Dialect.POSTGRESQL:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                else:
                    await connection.execution_options(look=True)
                yield SqlReading(connection, self._dialect)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[SqlWriting]:
        """A transaction; committed when the block ends well, undone when it does not.

        One at a time on both databases: what an operation has read cannot be changed under its hands (a revoked key
        never comes back), the audit chain cannot fork, and the change log's numbers are in the order of the commits.
        """
        with worded():
            async with self._engine.begin() as connection:
                if self._dialect is Dialect.POSTGRESQL:
                    await connection.execute(select(META).where(META.c.name == "schema").with_for_update())
                yield SqlWriting(connection, self._dialect)

    async def close(self) -> None:
        """Give every connection back."""
        await self._engine.dispose()


def sqlite_store(file: Path) -> SqlStore:
    """A store in one file: WAL, every commit on the disk before it is answered."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(file)), connect_args={"timeout": _PATIENCE_SECONDS}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                cursor.execute("PRAGMA " + pragma)
        except BaseException:
            connection.close()  # the pool forgets it, and its thread would outlive the loop
            raise
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begins(connection: Connection) -> None:
        look = connection.get_execution_options().get("look")
        connection.exec_driver_sql("BEGIN" if look else "BEGIN IMMEDIATE")

    return SqlStore(engine, Dialect.SQLITE)


def postgres_store(url: str) -> SqlStore:
    """A store on a server; `postgresql://…`, read committed; a session that sleeps in a transaction is ended."""
    options = (
        f"-c lock_timeout={_PATIENCE_SECONDS}s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
        " -c application_name=clavero"
    )
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": _PATIENCE_SECONDS},
    )
    return SqlStore(engine, Dialect.POSTGRESQL)
