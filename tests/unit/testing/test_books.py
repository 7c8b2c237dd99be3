"""The twin's own verbs; what it must do as `Books` stands in the contract suite."""

import pytest

from clavero.domain.ledger import BootId, Position
from clavero.domain.posting import Turn
from clavero.testing.books import MemoryBooks
from clavero.testing.clock import StoppedClock
from clavero.testing.lender import MemoryLedger

A = BootId("a" * 32)


def test_a_database_that_is_away_answers_nothing() -> None:
    books = MemoryBooks(MemoryLedger(StoppedClock()), away=True)
    start = Position(0, 0)
    for question in (
        books.boots,
        books.sweep,
        lambda: books.closed([A]),
        lambda: books.post(Turn(A, start, start, 0)),
        lambda: books.write_off(A, 0),
        lambda: books.close_boot(A, start, complete=True),
    ):
        with pytest.raises(ConnectionError):
            question()
    books.close()
