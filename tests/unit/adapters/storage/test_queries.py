import re

import pytest

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.queries import QUERIES, STATEMENTS, query, statement


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", [*QUERIES, "usage_by:service,day"])
def test_a_question_has_a_text_without_holes_and_changes_nothing(name: str, dialect: Dialect) -> None:
    text = query(name, dialect)
    assert "{" not in text.replace("'{}'", "")
    assert text.strip().startswith("SELECT")
    assert not re.search(r"\b(INSERT|UPDATE|DELETE|DROP)\b", text)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_some_texts_with_names_for_its_values(name: str, dialect: Dialect) -> None:
    texts = statement(name, dialect)
    assert texts
    assert all(":budget" in text and "{" not in text for text in texts)
