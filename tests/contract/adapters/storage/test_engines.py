"""Connections of the verbs of `clavero db`."""

from pathlib import Path

import pytest
from tests.contract.adapters.storage.databases import KINDS, empty


@pytest.mark.parametrize("kind", KINDS)
def test_a_transaction_that_fails_leaves_no_table_behind(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = empty(kind, tmp_path, request.getfixturevalue("postgres_url") if kind == "postgres" else "")

    def fail() -> None:
        with base.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
            connection.exec_driver_sql("INSERT INTO half VALUES (1)")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert base.tables() == []
