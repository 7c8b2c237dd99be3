"""The twin's own verbs; what it must do as a `Lender` stands in the contract suite."""

import pytest

from clavero.domain.budgets import Budget, RowKey, Subject, Window, budget_id
from clavero.domain.ledger import Ask, BootId, RowLife, Talk
from clavero.testing.clock import StoppedClock
from clavero.testing.lender import MemoryLedger, MemoryLender

A = BootId("a" * 32)
DAY = Budget(id=budget_id(Subject.KEY, "k", Window.DAY), subject=Subject.KEY, name="k", window=Window.DAY, limit_n=100)
KEY = RowKey(DAY.id, 0)
ASK = Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 10}, {}, {}),))


def lender() -> MemoryLender:
    ledger = MemoryLedger(StoppedClock())
    ledger.add(DAY)
    made = MemoryLender(ledger)
    made.register(A, "w")
    return made


def test_a_database_that_is_away_does_nothing() -> None:
    it = lender()
    it.away = True
    with pytest.raises(ConnectionError):
        it.talk(ASK)
    assert it.ledger.rows == {}


def test_a_lost_answer_is_a_talk_that_happened_once() -> None:
    it = lender()
    it.lose_answer = True
    with pytest.raises(ConnectionError):
        it.talk(ASK)
    assert it.ledger.rows[KEY].leased == 10
    assert it.talk(Talk(A, 1, 0, {KEY: 0}, {})).rows[KEY].granted == 10


def test_limits_and_deletions_reach_the_rows() -> None:
    it = lender()
    it.talk(ASK)
    it.ledger.apply_limit(DAY.id, 4)
    assert it.ledger.rows[KEY].excess == 6
    it.ledger.delete(DAY.id)
    assert it.ledger.rows[KEY].life is RowLife.CLOSING
    it.close()
