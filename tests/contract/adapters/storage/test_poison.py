"""What a database refuses to store costs its own frame, never the turn: both databases, real values."""

import pytest

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Position, Talk
from clavero.domain.posting import Charge, OpenHold, Posting, Turn
from clavero.domain.usage import Exchange, Tokens
from clavero.testing.ledgers import Ledger

KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)
A = BootId("a" * 32)


@pytest.mark.parametrize("ledger", ["sqlite", "postgres"], indirect=True)
def test_a_number_beyond_64_bits_is_put_aside_and_its_neighbours_are_posted(ledger: Ledger) -> None:
    ledger.budget(KEY.budget, 100)
    lender, books = ledger.lender(), ledger.books()
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 50}, {}, {}),)))
    good = [Posting(name, Exchange(name, 5, cost_n=7), (Charge(KEY, 7, 7),)) for name in ("r1", "r3")]
    bad = Posting("r2", Exchange("r2", 5, tokens=Tokens(1 << 63)), (Charge(KEY, 7, 7),))
    turn = Turn(
        A,
        Position(0, 0),
        Position(0, 10),
        10,
        [OpenHold("r2", 5, ((KEY.budget, KEY.period, 7),))],
        [good[0], bad, good[1]],
    )
    posted = books.post(turn)
    assert posted is not None
    assert posted.rejected == 1
    assert set(ledger.usage()) == {"r1", "r3"}
    assert ledger.row(KEY).posted == 14
    assert ledger.open_holds() == {"r2"}, "its money stays set aside until its boot ends, then counts in full"
    assert books.post(turn) is None
    assert len(ledger.rejects()) == 1


@pytest.mark.parametrize("ledger", ["postgres"], indirect=True)
def test_a_character_that_the_server_cannot_store_is_put_aside(ledger: Ledger) -> None:
    lender, books = ledger.lender(), ledger.books()
    lender.register(A, "w")
    postings = [Posting(name, Exchange(name, 5, feature=name)) for name in ("fine", "n\0l")]
    posted = books.post(Turn(A, Position(0, 0), Position(0, 10), 10, [], postings))
    assert posted is not None
    assert posted.rejected == 1
    assert set(ledger.usage()) == {"fine"}
