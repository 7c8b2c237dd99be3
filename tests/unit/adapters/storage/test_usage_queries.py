"""Reports and requests are asked by names of the schema alone."""

import pytest

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.queries import query
from clavero.adapters.storage.usage_queries import GROUPS, WHOLE, by_groups
from clavero.adapters.storage.usage_rows import usage_values
from clavero.domain.ledger import BootId
from clavero.domain.posting import Posting
from clavero.domain.usage import Exchange


def test_groups_come_from_the_table_alone() -> None:
    assert all(f"{column} AS {name}" in by_groups([name]) for name, column in GROUPS.items())
    for word in ("colour", "", "service; DROP TABLE usage", "1"):
        with pytest.raises(KeyError):
            query(f"usage_by:{word},service", Dialect.SQLITE)


def test_a_whole_row_has_everything_that_was_written() -> None:
    named = {part.strip().rpartition(".")[2].rpartition(" ")[2] for part in WHOLE.partition(" FROM ")[0].split(",")}
    assert named == set(usage_values(BootId("a"), Posting("h", Exchange("r", 5)))) - {"asked"}
