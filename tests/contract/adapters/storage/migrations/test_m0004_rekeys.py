"""A vault of an earlier version can be moved to new keys after the migration."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS, empty, fill_old

from clavero.adapters.storage.migrate import Migrations


@pytest.mark.parametrize("kind", KINDS)
def test_the_vault_stays_and_a_move_has_its_place(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = empty(kind, tmp_path, request.getfixturevalue("postgres_url") if kind != "sqlite" else "")
    with base.engine.begin() as connection:
        fill_old(connection, base.dialect, 1)
        sealed = connection.execute(text("SELECT id, sealed FROM sealed_key ORDER BY id")).all()
    Migrations().run(base.engine, base.dialect, lambda _progress: None)
    with base.engine.begin() as connection:
        assert connection.execute(text("SELECT id, sealed FROM sealed_key ORDER BY id")).all() == sealed
        for table in ("vault_rekey", "vault_seal"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
