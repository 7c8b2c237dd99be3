"""What a backup holds is what comes back, from either database into either, whole or not at all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import inspect, text
from tests.contract.adapters.storage.databases import KINDS, Base, empty, fill_old, rows_of

from clavero.adapters.storage import backup, restore, snapshot
from clavero.adapters.storage.backup_file import Archive
from clavero.adapters.storage.engines import sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.migrate import Migrations
from clavero.adapters.storage.schema import Stamp, prepare, read_stamp
from clavero.adapters.storage.shape import differences, shape
from clavero.adapters.storage.store import postgres_store
from clavero.domain.startup import StartFailure

RAISED = {"meta": "epoch", "boot": "incarnation"}  # a restored database says so


def quiet(*_: object) -> None:
    """Say nothing."""


def base_of(kind: str, folder: Path, request: pytest.FixtureRequest, *, version: int = 1) -> Base:
    base = empty(kind, folder, request.getfixturevalue("postgres_url") if kind == "postgres" else "")
    if version:
        with base.engine.begin() as connection:
            fill_old(connection, base.dialect, version)
    return base


@contextlib.contextmanager
def state_of(base: Base, folder: Path) -> Iterator[snapshot.Snapshot]:
    if base.url:
        with snapshot.of_server(base.url) as state:
            yield state
    else:
        with snapshot.of_file(folder / "clavero.db", folder / ".copy", quiet) as state:
            yield state


def content(base: Base) -> dict[str, list[dict[str, Any]]]:
    with base.engine.begin() as connection:
        tables = {name for name in inspect(connection).get_table_names() if name != "sqlite_sequence"}
        found = {name: rows_of(connection, name) for name in tables}
    for row in found["boot"]:
        row["incarnation"] = 0
    for row in found["meta"]:
        row["value"] = "" if row["name"] == "epoch" else row["value"]
    return found


def taken(base: Base, folder: Path) -> Archive:
    with state_of(base, folder) as state:
        backup.write(state, folder / "a.clavero", 5, quiet)
    return Archive(folder / "a.clavero")


def brought_back(kind: str, archive: Archive, folder: Path, url: str) -> Base:
    if kind == "postgres":
        base = empty(kind, folder, url)
        restore.into_server(archive, base.url, 7, "aside", quiet)
        return base
    file = folder / "clavero.db"
    restore.put_in_place(restore.into_file(archive, file, 7, quiet), file, folder / "old" / "clavero.db")
    return Base(sqlite_engine(file), Dialect.SQLITE, "")


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_what_comes_back_is_what_was_there(
    source: str, target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = base_of(source, tmp_path, request)
    before = content(base)
    archive = taken(base, tmp_path)
    (tmp_path / "new").mkdir()
    back = brought_back(target, archive, tmp_path / "new", request.getfixturevalue("postgres_url"))
    assert content(back) == before
    with back.engine.begin() as connection:
        assert read_stamp(connection) == Stamp(1)
        assert {row["value"] for row in rows_of(connection, "meta") if row["name"] == "epoch"} == {"7"}
        assert {row["incarnation"] for row in rows_of(connection, "boot")} == {2}
        connection.execute(text("INSERT INTO change_log (kind, id, at_ns) VALUES ('virtual_key', 'x', 1)"))
        numbers = [row["seq"] for row in rows_of(connection, "change_log")]
    assert len(numbers) == len(set(numbers)) == len(before["change_log"]) + 1
    assert max(numbers) == numbers[-1] > max(row["seq"] for row in before["change_log"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_comes_back_too(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of(kind, tmp_path, request)
    with base.engine.begin() as connection:
        wanted = shape(connection, base.dialect)
    archive = taken(base, tmp_path)
    (tmp_path / "new").mkdir()
    back = brought_back(kind, archive, tmp_path / "new", base.url)
    with back.engine.begin() as connection:
        assert differences(wanted, shape(connection, back.dialect)) == []


def test_a_file_that_is_replaced_stays_aside_with_what_its_log_still_held(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = base_of("sqlite", tmp_path, request)
    archive = taken(base, tmp_path)
    with base.engine.begin() as connection:
        connection.execute(text("UPDATE team SET name = 'later' WHERE name = 'platform'"))
    brought_back("sqlite", archive, tmp_path, "")
    old = Base(sqlite_engine(tmp_path / "old" / "clavero.db"), Dialect.SQLITE, "")
    assert "later" in {row["name"] for row in content(old)["team"]}
    assert "platform" in {row["name"] for row in content(base)["team"]}
    assert not list(tmp_path.glob(".clavero.db*"))


def test_tables_that_are_replaced_stay_in_a_schema_of_their_own(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of("postgres", tmp_path, request)
    archive = taken(base, tmp_path)
    with base.engine.begin() as connection:
        connection.execute(text("UPDATE team SET name = 'later' WHERE name = 'platform'"))
        connection.execute(text("DROP SCHEMA IF EXISTS before_now CASCADE"))
    restore.into_server(archive, base.url, 7, "before_now", quiet)
    with base.engine.begin() as connection:
        old = {name for (name,) in connection.execute(text("SELECT name FROM before_now.team"))}
        now = {name for (name,) in connection.execute(text("SELECT name FROM team"))}
    assert "later" in old
    assert "platform" in now


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_fails_changes_nothing(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of(kind, tmp_path, request)
    archive = taken(base, tmp_path)
    before = content(base)

    def told(table: str, _rows: int) -> None:
        if table == "usage":
            raise KeyboardInterrupt

    def bring() -> None:
        if base.url:
            restore.into_server(archive, base.url, 7, "aside_that_never_was", told)
        else:
            restore.into_file(archive, tmp_path / "clavero.db", 7, told)

    with pytest.raises(KeyboardInterrupt):
        bring()
    assert content(base) == before


async def test_a_server_that_a_running_clavero_uses_is_not_restored(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = base_of("postgres", tmp_path, request)
    store = postgres_store(base.url)
    async with store.read() as look:
        await look.rows("meta")
        with pytest.raises(StartFailure) as caught:
            restore.rows_on_server(base.url)
    await store.close()
    assert caught.value.code == "already_running"
    with psycopg.connect(base.url) as connection:
        assert connection.execute("SELECT count(*) FROM team").fetchone() == (3,)


def test_a_table_that_the_schema_does_not_know_is_refused(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of("sqlite", tmp_path, request)
    with base.engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
    archive = taken(base, tmp_path)
    with pytest.raises(StartFailure) as caught:
        restore.into_file(archive, tmp_path / "other.db", 7, quiet)
    assert "table notes" in caught.value.message
    restore.remove_file(tmp_path / ".other.db.restore")


def test_a_schema_that_was_never_kept_is_refused(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base = base_of("sqlite", tmp_path, request)
    with base.engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = '77' WHERE name = 'schema'"))
    with pytest.raises(StartFailure) as caught:
        restore.into_file(taken(base, tmp_path), tmp_path / "other.db", 7, quiet)
    assert caught.value.code == "database_newer"


@pytest.mark.parametrize("target", KINDS)
def test_an_old_backup_comes_back_with_its_own_schema_and_is_then_migrated(
    target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    archive = taken(base_of("sqlite", tmp_path, request), tmp_path)
    (tmp_path / "new").mkdir()
    back = brought_back(target, archive, tmp_path / "new", request.getfixturevalue("postgres_url"))
    Migrations().run(back.engine, back.dialect, lambda _: None)
    taken(back, tmp_path / "new").close()  # and is backed up as it is now
    (tmp_path / "again").mkdir()
    again = brought_back(target, Archive(tmp_path / "new" / "a.clavero"), tmp_path / "again", back.url)
    (tmp_path / "fresh").mkdir()
    found = content(again)
    with again.engine.begin() as connection:
        migrated = shape(connection, again.dialect)
    fresh = empty(target, tmp_path / "fresh", back.url)
    with fresh.engine.begin() as connection:
        prepare(connection, fresh.dialect)
        assert differences(shape(connection, fresh.dialect), migrated) == []
    assert len(found["usage"]) == 3
