"""The schema in the database is the schema of the code, table by table, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.rows import REGISTRY
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.storage.tables import METADATA, TABLES
from clavero.domain.startup import StartFailure


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore]:
    if request.param == "sqlite":
        made = sqlite_store(tmp_path / "clavero.db")
    else:
        made = postgres_store(request.getfixturevalue("postgres_url"))
        async with made._engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
    await made.open()
    yield made
    await made.close()


def _columns(connection: Connection) -> dict[str, set[str]]:
    found = inspect(connection)
    return {table: {column["name"] for column in found.get_columns(table)} for table in found.get_table_names()}


async def test_every_table_is_there_with_every_column(store: SqlStore) -> None:
    async with store._engine.connect() as connection:
        found = await connection.run_sync(_columns)
    wanted = {**METADATA.tables, **LEDGER_METADATA.tables}
    made = {table: columns for table, columns in found.items() if not table.startswith("sqlite_")}
    assert made == {name: set(table.columns.keys()) for name, table in wanted.items()}


def test_every_struct_has_a_table_whose_key_is_one_of_its_fields() -> None:
    for stored in REGISTRY:
        assert list(TABLES[stored.type].primary_key.columns.keys()) == [stored.primary]
        assert stored.primary in stored.names


@pytest.mark.parametrize(
    "spoil",
    ["DELETE FROM meta WHERE name = 'schema'", "UPDATE meta SET value = 'spoiled' WHERE name = 'schema'"],
)
async def test_a_version_that_cannot_be_read_is_no_version_of_ours(store: SqlStore, spoil: str) -> None:
    async with store._engine.begin() as connection:
        await connection.execute(text(spoil))
    with pytest.raises(StartFailure) as caught:
        await store.open()
    assert caught.value.code == "database_older"
    assert "the clavero that made it" in caught.value.fix
