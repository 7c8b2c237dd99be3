"""What writes usage names every column, and adds by difference."""

import re

import pytest

from clavero.adapters.storage import usage_sql as sql
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.ledger_tables import LEDGER_METADATA

ROLLS = {
    "usage_hour": sql.ADD_HOUR, "usage_day": sql.ADD_DAY, "usage_minute": sql.ADD_MINUTE,
    "usage_charge": sql.ADD_CHARGE, "usage_key": sql.ADD_KEY,
}  # fmt: skip


@pytest.mark.parametrize("table", ROLLS)
@pytest.mark.parametrize("dialect", Dialect)
def test_a_roll_up_is_written_whole_and_moved_by_difference(table: str, dialect: Dialect) -> None:
    text = ROLLS[table].named(dialect)
    columns = {column.name for column in LEDGER_METADATA.tables[table].columns}
    assert set(re.findall(r":(\w+)", text)) == columns
    key = {column.name for column in LEDGER_METADATA.tables[table].primary_key}
    for name in columns - key:
        assert re.search(rf"{name} = (max|greatest)?\(?{table}\.{name}( \+|,) excluded\.{name}", text), name
    assert "{" not in text


def test_a_row_is_written_with_every_column() -> None:
    columns = [column.name for column in LEDGER_METADATA.tables["usage"].columns]
    assert sorted(sql.COLUMNS) == sorted(columns)
