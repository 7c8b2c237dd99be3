"""What only the SQLite lender can meet: one writer, a file that is not there, a lock that is held too long."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Talk
from clavero.testing.ledgers import HERE, SqliteTestLedger

A = BootId("a" * 32)
KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


def test_a_worker_never_creates_a_database(tmp_path: Path) -> None:
    lender = SqliteLender(tmp_path / "clavero.db", HERE, SystemClock())
    with pytest.raises(ConnectionError):
        lender.register(A, "w")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_held_too_long_is_a_database_that_is_away_and_nothing_happened(tmp_path: Path) -> None:
    ledger = SqliteTestLedger(tmp_path / "clavero.db", SystemClock(), patience=0.02)
    ledger.budget(KEY.budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    talk = Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 10}, {}, {}),))
    with pytest.raises(ConnectionError, match="locked"):
        lender.talk(talk)
    other.execute("ROLLBACK")
    other.close()
    assert ledger.leases() == {}
    assert lender.talk(talk).rows[KEY].share == 10
    ledger.close()


@pytest.mark.parametrize("module", ["lender_sqlite", "books_sqlite", "segments"])
def test_a_worker_on_sqlite_loads_no_orm_and_no_other_driver(module: str) -> None:
    probe = f"import sys, clavero.adapters.storage.{module}; print(*(m for m in sys.modules), sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "psycopg", "aiosqlite", "fastapi", "pydantic"} & set(loaded)
