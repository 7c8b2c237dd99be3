"""The checks of the tables, the last line: no statement whatever gets past them, on either database."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Talk
from clavero.testing.ledgers import SqlTestLedger

pytestmark = pytest.mark.parametrize("ledger", ["sqlite", "postgres"], indirect=True)
A = BootId("a" * 32)
KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger SET posted = posted + 51",
        "UPDATE ledger SET lost = lost + 51",
        "UPDATE ledger SET leased = leased + 51",
        "UPDATE ledger SET leased = leased - 51",
        "UPDATE ledger SET posted = -1",
        "UPDATE ledger SET excess = -1",
        "UPDATE ledger SET limit_n = 49",
        "UPDATE ledger SET state = 'ajar'",
        "UPDATE lease SET returned = 51",
        "UPDATE lease SET lost = -1",
        "UPDATE boot SET state = 'undead'",
    ],
)
def test_no_statement_gets_past_the_checks(ledger: SqlTestLedger, change: str) -> None:
    ledger.budget(KEY.budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 50}, {}, {}),)))
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        connection.execute(text(change))
    assert ledger.row(KEY).leased == 50


def test_an_overrun_and_a_lowered_limit_fit_once_they_are_called_excess(ledger: SqlTestLedger) -> None:
    ledger.budget(KEY.budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 50}, {}, {}),)))
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE ledger SET posted = 80, limit_n = 100, excess = 30"))
    assert ledger.row(KEY).headroom == -30
