"""Concurrent calls pass a cap that is checked first and spent afterwards.

litellm#34732, litellm#40095, new-api#6609; five parallel calls pass a token limit: litellm#18730.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Answer, Ask, BootId, Talk
from clavero.testing.ledgers import SqliteTestLedger

KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


def test_workers_that_race_for_one_budget_never_get_more_than_it_has(tmp_path: Path) -> None:
    ledger = SqliteTestLedger(tmp_path / "clavero.db", SystemClock(), patience=10)
    ledger.budget(KEY.budget, 100)

    def race(number: int) -> int:
        boot, lender = BootId(f"{number:032x}"), ledger.lender()
        lender.register(boot, "w")
        answers = []
        for step in range(10):
            ask = Ask(f"{number}.{step}", {KEY: 7}, {}, {})
            answers.append(lender.talk(Talk(boot, 1, 0, {}, {}, (ask,))).verdicts[ask.request_id].answer)
        return answers.count(Answer.GRANTED)

    with ThreadPoolExecutor(4) as pool:
        granted = sum(pool.map(race, range(4)))
    row = ledger.row(KEY)
    assert row.leased == 7 * granted == 98, "all that fits and no more"
    assert row.excess == 0
    ledger.close()
