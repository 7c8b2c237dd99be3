"""Whoever owned a key is a member, once, with every letter of the name."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS, empty, fill_old

from clavero.adapters.storage.migrate import Migrations
from clavero.adapters.storage.rows import from_row
from clavero.domain.members import Member

COPY = """INSERT INTO virtual_key SELECT 'k' || :n, 'name' || :n, :owner, service, environment, purpose, state, models,
    endpoints, features, starts_ns, expires_ns, default_output_tokens, versions, reason, :n FROM virtual_key LIMIT 1"""


@pytest.mark.parametrize("kind", KINDS)
def test_owners_of_keys_become_members(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = empty(kind, tmp_path, request.getfixturevalue("postgres_url") if kind != "sqlite" else "")
    with base.engine.begin() as connection:
        fill_old(connection, base.dialect, 1)
        known = set(connection.execute(text("SELECT owner FROM virtual_key")).scalars())
        for number, owner in ((7, "Ñandú / ops"), (5, "Ñandú / ops"), (9, "o'brien")):
            connection.execute(text(COPY), {"n": number, "owner": owner})
    Migrations().run(base.engine, base.dialect, lambda _progress: None)
    with base.engine.begin() as connection:
        rows = connection.execute(
            text("SELECT name, email, kind, teams, state, created_ns, left_ns, due_ns FROM member")
        ).all()
    found = {row[0]: from_row(Member, row) for row in rows}
    assert found.keys() == known | {"Ñandú / ops", "o'brien"}
    assert found["Ñandú / ops"] == Member(name="Ñandú / ops", created_ns=5)
