import re

import pytest

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.queries import GROUPS, QUERIES, STATEMENTS, by_groups, query, statement


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", [*QUERIES, "charges", "usage_by:service,day"])
def test_a_question_has_a_text_without_holes_and_changes_nothing(name: str, dialect: Dialect) -> None:
    text = query(name, dialect)
    assert "{" not in text
    assert text.strip().startswith("SELECT")
    assert not re.search(r"\b(INSERT|UPDATE|DELETE|DROP)\b", text)


def test_groups_come_from_the_table_alone() -> None:
    assert all(f"{column} AS {name}" in by_groups([name]) for name, column in GROUPS.items())
    for word in ("colour", "", "service; DROP TABLE usage", "1"):
        with pytest.raises(KeyError):
            query(f"usage_by:{word},service", Dialect.SQLITE)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_some_texts_with_names_for_its_values(name: str, dialect: Dialect) -> None:
    texts = statement(name, dialect)
    assert texts
    assert all(":budget" in text and "{" not in text for text in texts)
