"""Texts of statements are made once."""

from clavero.adapters.storage.ledger_sql import GUARD, Dialect
from clavero.adapters.storage.session import Away, OutcomeUnknown, named, percent


def test_a_text_is_made_once_for_each_driver() -> None:
    assert named(GUARD, Dialect.SQLITE) is named(GUARD, Dialect.SQLITE)
    assert percent(GUARD) is percent(GUARD)
    assert "max(" in named(GUARD, Dialect.SQLITE)
    assert "%(boot)s" in percent(GUARD)


def test_both_ways_to_miss_a_database_are_connection_errors() -> None:
    assert issubclass(Away, ConnectionError)
    assert issubclass(OutcomeUnknown, ConnectionError)
    assert not issubclass(OutcomeUnknown, Away), "one says that nothing happened, the other that nobody knows"
