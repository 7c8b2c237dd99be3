"""A ledger in a file has the schema that a start makes; each kind tells the same of the same story."""

from pathlib import Path

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Talk
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import Ledger, MemoryTestLedger, SqliteTestLedger

A = BootId("a" * 32)
KEY = RowKey(BudgetId("key/k:day"), 0)


def story(ledger: Ledger) -> tuple[object, ...]:
    ledger.budget(KEY.budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 7, {}, {}, (Ask("r", {KEY: 60}, {}, {}),)))
    ledger.apply_limit(KEY.budget, 50)
    ledger.grow_old(3)
    heard = ledger.heartbeat(A)
    ledger.end(A)
    found = (
        ledger.row(KEY),
        ledger.leases(),
        ledger.tail(A),
        heard,
        ledger.usage(),
        ledger.open_holds(),
        ledger.rejects(),
    )
    ledger.close()
    return found


def test_memory_and_file_tell_the_same(tmp_path: Path) -> None:
    clock = StoppedClock()
    assert story(MemoryTestLedger(clock)) == story(SqliteTestLedger(tmp_path / "clavero.db", clock))
