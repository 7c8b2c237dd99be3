"""Two schemas that differ in anything a database enforces are told apart."""

from pathlib import Path

import pytest
from tests.contract.adapters.storage.databases import KINDS, Base, empty

from clavero.adapters.storage.schema import prepare
from clavero.adapters.storage.shape import differences, shape

SPOILT = {
    "a column more": ("ALTER TABLE team ADD COLUMN colour TEXT", "team: unknown column colour"),
    "an index less": ("DROP INDEX virtual_key_name", "virtual_key: missing"),
    "an index of others": ("CREATE INDEX mine ON team (created_ns)", "team: unknown"),
    "a table more": ("CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY)", "notes: unknown"),
    "a table less": ("DROP TABLE want", "want: missing"),
}
SPOILT_ON_A_SERVER = {
    "a check less": ("ALTER TABLE ledger DROP CONSTRAINT ledger_cap", "ledger: missing ledger_cap CHECK"),
    "a narrower number": ("ALTER TABLE budget ALTER limit_n TYPE integer", "budget: missing column limit_n bigint"),
    "null allowed": ("ALTER TABLE audit ALTER hash DROP NOT NULL", "audit: missing column hash text not null"),
    "no default": ("ALTER TABLE ledger ALTER posted DROP DEFAULT", "ledger: missing column posted"),
}


def made(kind: str, folder: Path, request: pytest.FixtureRequest) -> Base:
    base = empty(kind, folder, request.getfixturevalue("postgres_url") if kind == "postgres" else "")
    with base.engine.begin() as connection:
        prepare(connection, base.dialect)
    return base


def told(base: Base, statement: str) -> list[str]:
    with base.engine.begin() as connection:
        wanted = shape(connection, base.dialect)
        connection.exec_driver_sql(statement)
        return differences(wanted, shape(connection, base.dialect))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", SPOILT)
def test_what_was_changed_by_hand_is_named(
    kind: str, what: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    statement, says = SPOILT[what]
    found = told(made(kind, tmp_path, request), statement)
    assert found
    assert all(line.startswith(says) for line in found), found


@pytest.mark.parametrize("what", SPOILT_ON_A_SERVER)
def test_what_was_changed_on_a_server_is_named(what: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    statement, says = SPOILT_ON_A_SERVER[what]
    assert any(line.startswith(says) for line in told(made("postgres", tmp_path, request), statement))


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_like_itself(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert told(made(kind, tmp_path, request), "SELECT 1") == []
