"""The schema in the database is the schema of the code, table by table, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from tests.contract.adapters.storage.databases import own_database

from clavero.adapters.storage.ledger_tables import LEDGER_METADATA
from clavero.adapters.storage.rows import REGISTRY
from clavero.adapters.storage.schema import Stamp, check
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.storage.tables import METADATA, TABLES
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.domain.startup import StartFailure


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStore]:
    if request.param == "sqlite":
        made = sqlite_store(tmp_path / "clavero.db")
    else:
        made = postgres_store(own_database(request.getfixturevalue("postgres_url")))
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
    ("spoil", "code", "fix"),
    [
        ("DELETE FROM meta WHERE name = 'schema'", "database_foreign", "empty database"),
        ("UPDATE meta SET value = 'spoiled' WHERE name = 'schema'", "database_foreign", "empty database"),
        ("UPDATE meta SET value = '²' WHERE name = 'schema'", "database_foreign", "empty database"),
        ("DROP TABLE meta", "database_foreign", "empty database"),
        ("ALTER TABLE meta RENAME COLUMN value TO words", "database_foreign", "empty database"),
        ("INSERT INTO meta VALUES ('migrating', '1')", "database_half_migrated", "clavero db migrate"),
        ("INSERT INTO meta VALUES ('migrating', '9999')", "database_newer", "later clavero"),
        ("UPDATE meta SET value = '9999' WHERE name = 'schema'", "database_newer", "later clavero"),
    ],
)
async def test_a_schema_that_is_not_the_one_of_this_version_is_refused_with_what_mends_it(
    store: SqlStore, spoil: str, code: str, fix: str
) -> None:
    async with store._engine.begin() as connection:
        await connection.execute(text(spoil))
    with pytest.raises(StartFailure) as caught:
        await store.open()
    assert caught.value.code == code
    assert fix in caught.value.fix


def test_an_older_schema_is_refused_with_the_command_that_migrates() -> None:
    with pytest.raises(StartFailure) as caught:
        check(Stamp(SCHEMA_VERSION - 1))
    assert (caught.value.code, caught.value.fix) == ("database_older", "clavero db migrate")


async def test_a_database_of_another_program_is_left_alone(store: SqlStore) -> None:
    async with store._engine.begin() as connection:
        for name in [*METADATA.tables, *LEDGER_METADATA.tables]:
            await connection.execute(text(f'DROP TABLE "{name}"'))
        for name in ("orders", "customers", "invoices", "articles"):
            await connection.execute(text(f"CREATE TABLE {name} (id INTEGER)"))
    with pytest.raises(StartFailure) as caught:
        await store.open()
    assert caught.value.code == "database_foreign"
    assert "articles, customers, invoices, …" in caught.value.message
    async with store._engine.connect() as connection:
        assert len(await connection.run_sync(_columns)) == 4
