"""`clavero db migrate` on a database of each kind."""

from pathlib import Path

import pytest
from tests.contract.adapters.storage.databases import KINDS, NEXT, empty, with_things

from clavero.adapters.storage.migrate import Migrations
from clavero.adapters.storage.store import postgres_store
from clavero.bootstrap import migration
from clavero.bootstrap.migration import Step, migrate, plan_migration
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, Storage

STEPS = [Step(2, "Names in capitals."), Step(3, "Things have a colour.")]


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    base = empty(request.param, tmp_path, request.getfixturevalue("postgres_url") if request.param != "sqlite" else "")
    with base.engine.begin() as connection:
        with_things(connection, base.dialect)
    monkeypatch.setattr(migration, "Migrations", lambda: Migrations(NEXT))
    return Settings(storage=Storage(data_dir=str(tmp_path), database_url=base.url))


def test_a_plan_changes_nothing_and_what_was_planned_is_done(settings: Settings) -> None:
    assert plan_migration(settings) == STEPS
    assert plan_migration(settings) == STEPS
    assert migrate(settings, lambda _: None) == STEPS
    assert plan_migration(settings) == []


async def test_a_server_that_another_clavero_uses_is_not_migrated(settings: Settings) -> None:
    if not settings.storage.database_url:
        return
    store = postgres_store(settings.storage.database_url)
    async with store.read() as look:
        await look.rows("meta")
        with pytest.raises(StartFailure) as caught:
            migrate(settings, lambda _: None)
    await store.close()
    assert "uses this database from this machine" in caught.value.message
    assert plan_migration(settings) == STEPS


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    settings = Settings(storage=Storage(data_dir=str(tmp_path)))
    with pytest.raises(StartFailure) as planned:
        plan_migration(settings)
    with pytest.raises(StartFailure) as run:
        migrate(settings, lambda _: None)
    assert {planned.value.code, run.value.code} == {"database_missing"}
    assert list(tmp_path.iterdir()) == []
