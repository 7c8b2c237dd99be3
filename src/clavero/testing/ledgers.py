"""A ledger to test against: the same few verbs on SQLite, on PostgreSQL and in memory.

The verbs that the control plane has (make, limit, delete a budget) run its own statements in a transaction of
SQLAlchemy, as the store does.
"""

from pathlib import Path
from typing import Any, Protocol

import sqlalchemy
from msgspec.structs import replace
from sqlalchemy import text

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage.books_postgres import PostgresBooks
from clavero.adapters.storage.books_sqlite import SqliteBooks
from clavero.adapters.storage.ledger_sql import Dialect, Statement
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.lender_postgres import PostgresLender
from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.adapters.storage.schema import prepare
from clavero.adapters.storage.tables import TABLES
from clavero.adapters.storage.usage_queries import WHOLE
from clavero.adapters.storage.usage_rows import usage_values
from clavero.domain.budgets import Budget, BudgetId, RowKey, Subject, Window
from clavero.domain.ledger import BootId, Lease, Life, Place, Row, RowLife
from clavero.ports.clock import Clock
from clavero.ports.ledger import Books, Lender
from clavero.testing.books import MemoryBooks
from clavero.testing.lender import MemoryLedger, MemoryLender

_budget = TABLES[Budget]


class Ledger(Protocol):
    """What a test does to a ledger, whatever keeps it."""

    def lender(self, place: Place = ...) -> Lender:
        """A worker's own way to the ledger."""
        ...

    def books(self) -> Books:
        """A reader's own way to the ledger."""
        ...

    def usage(self) -> dict[str, dict[str, Any]]:
        """Every usage row by its hold: what a report is made of."""
        ...

    def open_holds(self) -> set[str]:
        """Holds whose calls have not ended."""
        ...

    def rejects(self) -> list[str]:
        """Reasons of the frames that could not be posted."""
        ...

    def leases(self) -> dict[tuple[BootId, RowKey], Lease]:
        """What each boot has of each row."""
        ...

    def budget(self, budget: BudgetId, limit_n: int) -> None:
        """Make a budget, or make it again."""
        ...

    def apply_limit(self, budget: BudgetId, limit_n: int) -> None:
        """Change a limit (L30)."""
        ...

    def delete(self, budget: BudgetId) -> None:
        """Delete a budget (L30)."""
        ...

    def row(self, key: RowKey) -> Row:
        """One row, as committed."""
        ...

    def rows(self) -> dict[RowKey, Row]:
        """Every row, as committed."""
        ...

    def grow_old(self, seconds: float) -> None:
        """Let time pass for wants and heartbeats."""
        ...

    def end(self, boot: BootId) -> None:
        """Say that a boot is not live any more; moves no money."""
        ...

    def heartbeat(self, boot: BootId) -> int:
        """When a boot was last heard of, UTC nanoseconds."""
        ...

    def tail(self, boot: BootId) -> int:
        """How much journal a boot said it had written."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


HERE = Place("home", "kernel")


class MemoryTestLedger:
    """The twin."""

    def __init__(self, clock: Clock) -> None:
        self.memory = MemoryLedger(clock)
        self.memory_books = MemoryBooks(self.memory)

    def lender(self, place: Place = HERE) -> Lender:
        """A worker's own way to the ledger."""
        return MemoryLender(self.memory, place)

    def books(self) -> Books:
        """A reader's own way to the ledger."""
        return self.memory_books

    def usage(self) -> dict[str, dict[str, Any]]:
        """Every usage row by its hold."""
        return {name: usage_values(BootId(""), posting) for name, posting in self.memory_books.usage.items()}

    def open_holds(self) -> set[str]:
        """Holds whose calls have not ended."""
        return {name for _, name in self.memory_books.holds}

    def rejects(self) -> list[str]:
        """Reasons of the frames that could not be posted."""
        return [reject.reason for _, reject in self.memory_books.rejects]

    def leases(self) -> dict[tuple[BootId, RowKey], Lease]:
        """What each boot has of each row."""
        return dict(self.memory.leases)

    def budget(self, budget: BudgetId, limit_n: int) -> None:
        """Make a budget, or make it again."""
        self.memory.add(Budget(id=budget, subject=Subject.KEY, name=budget, window=Window.DAY, limit_n=limit_n))

    def apply_limit(self, budget: BudgetId, limit_n: int) -> None:
        """Change a limit."""
        self.memory.apply_limit(budget, limit_n)

    def delete(self, budget: BudgetId) -> None:
        """Delete a budget."""
        self.memory.delete(budget)

    def row(self, key: RowKey) -> Row:
        """One row."""
        return self.memory.rows[key]

    def rows(self) -> dict[RowKey, Row]:
        """Every row."""
        return dict(self.memory.rows)

    def grow_old(self, seconds: float) -> None:
        """Let time pass for wants and heartbeats."""
        past = int(seconds * 1e9)
        self.memory.wants = [replace(want, at_ns=want.at_ns - past) for want in self.memory.wants]
        for boot in self.memory.boots.values():
            boot.heartbeat -= past

    def end(self, boot: BootId) -> None:
        """Say that a boot is not live any more."""
        self.memory.boots[boot].life = Life.LOST

    def heartbeat(self, boot: BootId) -> int:
        """When a boot was last heard of."""
        return self.memory.boots[boot].heartbeat

    def tail(self, boot: BootId) -> int:
        """How much journal it said it had written."""
        return self.memory.boots[boot].tail

    def close(self) -> None:
        """Nothing is open."""


class SqlTestLedger:
    """A ledger in a database, made by SQLAlchemy as the store makes it."""

    def __init__(self, url: str, dialect: Dialect) -> None:
        self.engine = sqlalchemy.create_engine(url)
        self.dialect = dialect
        self._open: list[Lender | Books] = []
        with self.engine.begin() as connection:
            prepare(connection, dialect)

    def _lender(self, place: Place) -> Lender:
        raise NotImplementedError

    def _new_books(self) -> Books:
        raise NotImplementedError

    def lender(self, place: Place = HERE) -> Lender:
        """A worker's own connection."""
        lender = self._lender(place)
        self._open.append(lender)
        return lender

    def books(self) -> Books:
        """A reader's own connection."""
        books = self._new_books()
        self._open.append(books)
        return books

    def usage(self) -> dict[str, dict[str, Any]]:
        """Every usage row by its hold."""
        with self.engine.connect() as connection:
            rows = connection.execute(text(WHOLE)).mappings()
            return {row["hold_id"]: dict(row) for row in rows}

    def open_holds(self) -> set[str]:
        """Holds whose calls have not ended."""
        return {name for (name,) in self.all("SELECT hold_id FROM open_hold")}

    def rejects(self) -> list[str]:
        """Reasons of the frames that could not be posted."""
        return [reason for (reason,) in self.all("SELECT reason FROM journal_rejects ORDER BY reject_id")]

    def leases(self) -> dict[tuple[BootId, RowKey], Lease]:
        """What each boot has of each row."""
        return {
            (BootId(boot), RowKey(BudgetId(budget), period)): Lease(*totals)
            for boot, budget, period, *totals in self.all(
                "SELECT boot_id, budget_id, period_start, granted, returned, posted, moved, lost, acked, base, slack "
                "FROM lease"
            )
        }

    def budget(self, budget: BudgetId, limit_n: int) -> None:
        """Make a budget, or make it again."""
        with self.engine.begin() as connection:
            connection.execute(_budget.delete().where(_budget.c.id == budget))
            values = {"subject": "key", "name": budget, "window": "day", "policy": "reject", "created_ns": 0}
            connection.execute(_budget.insert().values(id=budget, limit_n=limit_n, state="open", **values))

    def apply_limit(self, budget: BudgetId, limit_n: int) -> None:
        """Change a limit."""
        with self.engine.begin() as connection:
            connection.execute(_budget.update().where(_budget.c.id == budget).values(limit_n=limit_n))
            for statement in sql.APPLY_LIMIT:
                connection.execute(self.text(statement), {"budget": budget, "limit": limit_n})

    def delete(self, budget: BudgetId) -> None:
        """Delete a budget."""
        with self.engine.begin() as connection:
            connection.execute(_budget.update().where(_budget.c.id == budget).values(state="closing"))
            for statement in sql.CLOSE_BUDGET:
                connection.execute(self.text(statement), {"budget": budget})

    def row(self, key: RowKey) -> Row:
        """One row."""
        return self.rows()[key]

    def rows(self) -> dict[RowKey, Row]:
        """Every row."""
        found = self.all("SELECT budget_id, period_start, limit_n, posted, leased, lost, excess, state FROM ledger")
        return {
            RowKey(BudgetId(budget), period): Row(limit, posted, leased, lost, excess, RowLife(life))
            for budget, period, limit, posted, leased, lost, excess, life in found
        }

    def grow_old(self, seconds: float) -> None:
        """Let time pass for wants and heartbeats."""
        with self.engine.begin() as connection:
            for statement in ("UPDATE want SET at = at - :past", "UPDATE boot SET heartbeat = heartbeat - :past"):
                connection.execute(text(statement), {"past": int(seconds * 1e9)})

    def end(self, boot: BootId) -> None:
        """Say that a boot is not live any more."""
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE boot SET state = 'lost' WHERE boot_id = :boot"), {"boot": boot})

    def heartbeat(self, boot: BootId) -> int:
        """When a boot was last heard of."""
        return int(self.all("SELECT heartbeat FROM boot WHERE boot_id = :boot", boot=boot)[0][0])

    def tail(self, boot: BootId) -> int:
        """How much journal it said it had written."""
        return int(self.all("SELECT tail FROM boot WHERE boot_id = :boot", boot=boot)[0][0])

    def all(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Every row of a query, as committed."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def text(self, statement: Statement) -> sqlalchemy.TextClause:
        """A statement as SQLAlchemy takes it."""
        return text(statement.named(self.dialect))

    def empty(self) -> None:
        """Forget everything; tables that somebody dropped are there again."""
        with self.engine.begin() as connection:
            prepare(connection, self.dialect)
            for table in (_budget, *LEDGER_METADATA.sorted_tables):
                connection.execute(table.delete())

    def close(self) -> None:
        """Let go of all connections."""
        for one in self._open:
            one.close()
        self._open.clear()
        self.engine.dispose()


class SqliteTestLedger(SqlTestLedger):
    """A ledger in a file of its own."""

    def __init__(self, path: Path, clock: Clock, patience: float = 1.0) -> None:
        self.path = path
        self.clock = clock
        self.patience = patience
        super().__init__(f"sqlite:///{path}", Dialect.SQLITE)
        with self.engine.begin() as connection:
            connection.execute(text("PRAGMA journal_mode = WAL"))

    def _lender(self, place: Place) -> Lender:
        return SqliteLender(self.path, place, self.clock, self.patience)

    def _new_books(self) -> Books:
        return SqliteBooks(self.path, self.clock, self.patience)


class PostgresTestLedger(SqlTestLedger):
    """A ledger on a server."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(url.replace("postgresql://", "postgresql+psycopg://", 1), Dialect.POSTGRESQL)

    def _lender(self, place: Place) -> Lender:
        return PostgresLender(self.url, place)

    def _new_books(self) -> Books:
        return PostgresBooks(self.url, SystemClock())
