"""Readers and borrowers inside one server at once: nobody waits for ever, every frame counts once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Position, Talk
from clavero.domain.posting import Charge, OpenHold, Posting, Turn
from clavero.domain.usage import Exchange
from clavero.testing.ledgers import PostgresTestLedger

pytestmark = pytest.mark.parametrize("ledger", ["postgres"], indirect=True)
ROWS = tuple(RowKey(BudgetId(f"key/{name:012d}:day"), 86_400) for name in range(3))
BOOTS = tuple(BootId(f"{number:032x}") for number in range(2))


def turn(boot: BootId, number: int) -> Turn:
    name = f"{boot[-1]}.{number}"
    rows = ROWS if number % 2 else ROWS[::-1]
    hold = OpenHold(name, 5, tuple((*row, 2) for row in rows))
    posting = Posting(name, Exchange(name, 5, cost_n=2), tuple(Charge(row, 2, 2) for row in rows))
    return Turn(boot, Position(0, number), Position(0, number + 1), 1, [hold], [posting])


def test_readers_and_borrowers_race(ledger: PostgresTestLedger) -> None:
    for row in ROWS:
        ledger.budget(row.budget, 10_000)
    for boot in BOOTS:
        lender = ledger.lender()
        lender.register(boot, "w")
        lender.talk(Talk(boot, 1, 0, {}, {}, (Ask("r", dict.fromkeys(ROWS, 100), {}, {}),)))

    def read(boot: BootId) -> int:
        books = ledger.books()
        return sum(books.post(turn(boot, number)) is not None for number in range(20))

    def borrow(boot: BootId) -> int:
        lender = ledger.lender()
        for number in range(20):
            lender.talk(Talk(boot, 1, 0, {}, {}, (Ask(f"b{number}", dict.fromkeys(ROWS, 1), {}, {}),)))
        return 0

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read, boot) for boot in (*BOOTS, *BOOTS)]
        borrowers = [pool.submit(borrow, boot) for boot in BOOTS]
        posted = sum(done.result(timeout=60) for done in readers)
        assert [done.result(timeout=60) for done in borrowers] == [0, 0]
    assert len(ledger.usage()) == posted
    assert ledger.open_holds() == set()
    for row in ROWS:
        found = ledger.row(row)
        assert found.posted == 2 * posted
        assert found.leased == 2 * 120 - found.posted
