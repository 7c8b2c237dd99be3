"""Exchanges and holds as values of their tables: nothing is left out, nothing is invented."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.usage_rows import hold_values, open_hold, usage_values
from clavero.adapters.storage.usage_sql import ADD_USAGE, GROUP
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import BootId
from clavero.domain.posting import Charge, OpenHold, Posting
from clavero.domain.usage import Attempt, Exchange, Tokens

A = BootId("a")
KEY = RowKey(BudgetId("key/k:day"), 86_400)


def test_every_column_has_a_value_and_every_value_a_column() -> None:
    values = usage_values(A, Posting("h", Exchange("r", 5)))
    columns = {column.name for column in LEDGER_METADATA.tables["usage"].columns}
    assert set(values) == columns - {"group_id"} | set(GROUP)
    assert set(re.findall(r":(\w+)", ADD_USAGE.text)) == columns


def test_every_member_of_an_exchange_is_kept() -> None:
    kept = set(usage_values(A, Posting("h", Exchange("r", 5))))
    members = set(Exchange.__struct_fields__) - {"tokens"} | set(Tokens.__struct_fields__)
    assert members <= kept


def test_days_are_counted_in_utc() -> None:
    day = 86_400 * 10**9
    for at_ns, expected in ((0, 0), (day - 1, 0), (day, 1), (-1, -1)):
        assert usage_values(A, Posting("h", Exchange("r", at_ns)))["day"] == expected


def test_lists_are_json_and_an_empty_one_is_too() -> None:
    attempt = Attempt("openai", "gpt-4o-mini", 1, 2, 200)
    full = usage_values(A, Posting("h", Exchange("r", 5, attempts=(attempt,)), (Charge(KEY, 7, 3),)))
    assert msgspec.json.decode(full["attempts"], type=tuple[Attempt, ...]) == (attempt,)
    assert msgspec.json.decode(full["amounts"]) == [["key/k:day", 86_400, 7]]
    assert usage_values(A, Posting("h", Exchange("r", 5)))["attempts"] == "[]"


@given(
    rows=st.lists(st.tuples(st.text(), st.integers(0, 1 << 40), st.integers(0, 1 << 50)), max_size=3),
    at_ns=st.integers(0, 1 << 62),
    named=st.booleans(),
)
def test_an_open_hold_comes_back_as_it_was(rows: list[tuple[str, int, int]], at_ns: int, named: bool) -> None:
    hold = OpenHold("h", at_ns, tuple(rows), Exchange("r", 5, feature="faq", tokens=Tokens(1)) if named else None)
    values = hold_values(A, hold)
    assert open_hold(values["hold"], values["rows"], values["at_ns"], values["exchange"]) == hold
