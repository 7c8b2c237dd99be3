"""The codec between structs and rows: everything that is stored comes back as it was."""

import subprocess
import sys
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from clavero.adapters.storage.rows import BY_KIND, BY_TYPE, REGISTRY, Stored, from_row, identity, to_row
from clavero.domain.budgets import Budget, BudgetId, BudgetState, Policy, Subject, Window
from clavero.domain.credentials import Credential
from clavero.domain.keys import Key, KeyState, KeyVersion, Kid
from clavero.domain.pricing import Price, Tier
from clavero.domain.secret import Secret

words = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**63), 2**63 - 1)
versions = st.lists(st.builds(KeyVersion, numbers, st.binary(), numbers, words, numbers, numbers)).map(tuple)
THINGS = st.one_of(
    st.builds(
        Key,
        id=words.map(Kid), name=words, owner=words, service=words, environment=words, state=st.sampled_from(KeyState),
        models=st.lists(words).map(tuple), versions=versions, expires_ns=numbers,
    ),
    st.builds(
        Budget,
        id=words.map(BudgetId), subject=st.sampled_from(Subject), name=words, window=st.sampled_from(Window),
        limit_n=numbers, policy=st.sampled_from(Policy), state=st.sampled_from(BudgetState),
    ),
    st.builds(Credential, id=words, provider=words, version=numbers, origin=words, sealed=st.binary(), last_four=words),
    st.builds(
        Price, id=words, version=words, input=numbers,
        tiers=st.lists(st.builds(Tier, numbers, numbers, numbers)).map(tuple),
    ),
)  # fmt: skip


@given(THINGS)
def test_what_becomes_a_row_comes_back_as_it_was(thing: Struct) -> None:
    row = to_row(thing)
    assert from_row(type(thing), list(row.values())) == thing
    assert all(isinstance(value, int | str | bytes | bool) for value in row.values())


def test_enums_stand_as_their_value_and_lists_as_json() -> None:
    version = KeyVersion(1, b"\xff", 1, "abcd", 5)
    key = Key(id=Kid("k"), name="n", owner="o", service="s", environment="e", models=("a",), versions=(version,))
    row = to_row(key)
    assert (row["state"], row["models"]) == ("active", '["a"]')
    assert type(row["state"]) is str
    assert msgspec.json.decode(row["versions"])[0]["digest"] == "/w=="


@pytest.mark.parametrize("stored", REGISTRY, ids=lambda stored: stored.table)
def test_every_kind_has_a_name_of_its_own_and_a_key_among_its_fields(stored: Stored) -> None:
    assert BY_TYPE[stored.type] is BY_KIND[stored.table] is stored
    assert stored.primary in stored.names
    assert stored.names == list(stored.type.__struct_fields__)


def _types(hint: Any) -> set[Any]:
    parts = {hint}
    for part in getattr(hint, "__args__", ()):
        parts |= _types(part)
    if isinstance(hint, type) and issubclass(hint, Struct):
        for inner in get_type_hints(hint).values():
            parts |= _types(inner)
    return parts


@pytest.mark.parametrize("stored", REGISTRY, ids=lambda stored: stored.table)
def test_nothing_that_is_stored_is_a_secret_in_the_clear(stored: Stored) -> None:
    assert Secret not in _types(stored.type)


def test_an_object_is_called_by_its_key() -> None:
    budget = Budget(id=BudgetId("b"), subject=Subject.TEAM, name="x", window=Window.DAY, limit_n=1)
    assert identity(budget) == "b"


def test_what_workers_load_knows_no_orm() -> None:
    module = "clavero.adapters.storage.publication_sqlite"
    code = f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'psycopg', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
