"""A mistyped price poisons what was spent beyond repair, and everything after it is stuck.

litellm#20615: one record with an impossible cost, and the counter is wrong or the writer stands still from then on.
"""

from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.segments import Segments
from clavero.control.ingest import SQLITE_PACE, Ingest
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Talk
from clavero.domain.usage import Exchange
from clavero.testing.journals import PlainJournal
from clavero.testing.ledgers import SqliteTestLedger
from clavero.wire.journal import Settle

A = BootId("a" * 32)
KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


def settle(name: str, charge: int, cost: int) -> Settle:
    return Settle(name, ((*KEY, charge, min(charge, 10)),), "", Exchange(name, 5, cost_n=cost))


@pytest.mark.requirement(1)
@pytest.mark.parametrize("poison", [settle("bad", -5, -5), settle("bad", 1 << 63, 1 << 63), settle("bad", 7, 1 << 63)])
def test_an_impossible_cost_is_put_aside_with_its_reason_and_the_next_ones_are_posted(
    tmp_path: Path, poison: Settle
) -> None:
    clock = SystemClock()
    ledger = SqliteTestLedger(tmp_path / "clavero.db", clock)
    ledger.budget(KEY.budget, 1000)
    segments = Segments(tmp_path / "journal")
    lender = ledger.lender(segments.place)
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 100}, {}, {}),)))
    journal = PlainJournal(tmp_path / "journal", A)
    journal.tick(settle("before", 7, 7), poison, settle("same tick", 7, 7))
    journal.tick(settle("after", 7, 7))
    ingest = Ingest(segments, ledger.books(), clock, SQLITE_PACE)
    while ingest.turn(ingest.boots()[0]).frames:
        pass
    assert set(ledger.usage()) == {"before", "same tick", "after"}
    assert ledger.row(KEY).posted == 21
    assert len(ledger.rejects()) == 1
    assert all(ledger.rejects())
    journal.die()
    ledger.close()
