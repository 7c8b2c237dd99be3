"""Two readers of one journal on one SQLite file: every frame counts once, whoever gets there first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Position, Talk
from clavero.domain.posting import Charge, Posting, Turn
from clavero.domain.usage import Exchange
from clavero.testing.ledgers import SqliteTestLedger

A = BootId("a" * 32)
KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


def turn(number: int) -> Turn:
    posting = Posting(f"r{number}", Exchange(f"r{number}", 5, cost_n=2), (Charge(KEY, 2, 2),))
    return Turn(A, Position(0, number), Position(0, number + 1), 1, [], [posting])


def test_readers_that_race_post_every_turn_once(tmp_path: Path) -> None:
    ledger = SqliteTestLedger(tmp_path / "clavero.db", SystemClock(), patience=5)
    ledger.budget(KEY.budget, 1000)
    lender = ledger.lender()
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 200}, {}, {}),)))

    def read(_: int) -> int:
        books = ledger.books()
        return sum(books.post(turn(number)) is not None for number in range(40))

    with ThreadPoolExecutor(3) as pool:
        posted = list(pool.map(read, range(3)))
    assert sum(posted) == ledger.books().boots()[1][0].at.off
    assert ledger.row(KEY).posted == 2 * sum(posted) == 2 * len(ledger.usage())
    ledger.close()


def test_threads_that_share_books_take_turns(tmp_path: Path) -> None:
    ledger = SqliteTestLedger(tmp_path / "clavero.db", SystemClock(), patience=5)
    ledger.lender().register(A, "w")
    books = ledger.books()
    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(books.boots) for _ in range(50)]
        posts = [pool.submit(books.post, turn(0)) for _ in range(10)]
        sweeps = [pool.submit(books.sweep) for _ in range(10)]
    assert all(len(look.result()[1]) == 1 for look in looks)
    assert sum(post.result() is not None for post in posts) == 1
    assert [sweep.result() for sweep in sweeps] == [None] * 10
    ledger.close()
