"""The statements: the same words for both databases, and no word left over."""

import pytest

from clavero.adapters.storage import ledger_sql
from clavero.adapters.storage.ledger_sql import APPLY_LIMIT, CLOSE_BUDGET, Dialect, Statement

STATEMENTS = {name: statement for name, statement in vars(ledger_sql).items() if isinstance(statement, Statement)} | {
    f"limit_{n}": one for n, one in enumerate((*APPLY_LIMIT, *CLOSE_BUDGET))
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_word_in_braces_is_known_to_both_databases(name: str) -> None:
    for dialect in Dialect:
        assert "{" not in STATEMENTS[name].named(dialect)


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_has_what_a_driver_would_take_for_a_value(name: str) -> None:
    text = STATEMENTS[name].named(Dialect.POSTGRESQL)
    assert "%" not in text
    assert "::" not in text, "a cast is written CAST(… AS …), since a colon names a value"


def test_values_are_named_as_each_driver_wants_them() -> None:
    statement = Statement("SELECT :one, {most}(:two_words, 0) FROM {keys} k")
    assert statement.named(Dialect.SQLITE).startswith("SELECT :one, max(:two_words, 0) FROM (SELECT json_extract")
    assert statement.percent(Dialect.POSTGRESQL).startswith("SELECT %(one)s, greatest(%(two_words)s, 0) FROM (SELECT")
    assert "%(keys)s" in statement.percent(Dialect.POSTGRESQL)
