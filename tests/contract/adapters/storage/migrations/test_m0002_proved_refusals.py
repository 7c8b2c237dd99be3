"""What a worker of an earlier version had answered proves nothing any more."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS, empty, fill_old

from clavero.adapters.storage.migrate import Migrations

LEASE = """INSERT INTO lease (boot_id, budget_id, period_start, granted, returned, posted, moved, lost, acked)
    VALUES ('b', 'key/x:day', 0, 10, 1, 2, 0, 0, 7)"""


@pytest.mark.parametrize("kind", KINDS)
def test_old_answers_are_void_and_totals_stay(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = empty(kind, tmp_path, request.getfixturevalue("postgres_url") if kind != "sqlite" else "")
    with base.engine.begin() as connection:
        fill_old(connection, base.dialect, 1)
        connection.execute(text(LEASE))
    Migrations().run(base.engine, base.dialect, lambda _progress: None)
    with base.engine.begin() as connection:
        query = text("SELECT granted, returned, posted, acked, base, slack FROM lease WHERE boot_id = 'b'")
        assert tuple(connection.execute(query).one()) == (10, 1, 2, 0, 0, 0)
