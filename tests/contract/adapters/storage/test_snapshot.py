"""One state of the whole database, while others write."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import KINDS
from tests.contract.adapters.storage.test_restore import base_of, quiet, state_of

from clavero.adapters.storage import snapshot
from clavero.domain.startup import StartFailure


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_meanwhile_is_not_in_it_and_nobody_waits(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = base_of(kind, tmp_path, request)
    with state_of(base, tmp_path) as state:
        columns = state.tables()["team"]
        before = [row for block in state.blocks("team", columns) for row in block]
        with base.engine.begin() as connection:
            connection.execute(text("DELETE FROM team"))
        assert [row for block in state.blocks("team", columns) for row in block] == before
        assert state.ask("SELECT count(*) FROM team") == [(3,)]
    with base.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM team")).scalar() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_and_every_kind_of_value_is_told_alike(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base = base_of(kind, tmp_path, request)
    with state_of(base, tmp_path) as state:
        tables = state.tables()
        assert "usage" in tables
        assert not any(name.startswith("sqlite") for name in tables)
        [row, *_] = [row for block in state.blocks("provider", tables["provider"]) for row in block]
        assert dict(zip(tables["provider"], row, strict=True))["enabled"] is True
        [sealed, *_] = [row for block in state.blocks("sealed_key", ("id", "sealed")) for row in block]
        assert isinstance(sealed[1], bytes)
        [hold] = [row for block in state.blocks("open_hold", ("hold_id", "exchange")) for row in block]
        assert hold == ("hold-1", None)


def test_a_writer_that_never_rests_does_not_make_the_copy_begin_anew(tmp_path: Path) -> None:
    file = tmp_path / "clavero.db"
    with sqlite3.connect(file, isolation_level=None) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE pad (id INTEGER PRIMARY KEY, data BLOB)")
        writer.executemany("INSERT INTO pad (data) VALUES (?)", [(b"x" * 4000,)] * 1500)
        seen: list[int] = []

        def copied(done: int, _whole: int) -> None:
            seen.append(done)
            writer.execute("INSERT INTO pad (data) VALUES (?)", (b"y" * 4000,))

        with snapshot.of_file(file, tmp_path / ".copy", copied) as state:
            assert state.ask("SELECT count(*) FROM pad") == [(1500,)]
    assert len(seen) > 3
    assert seen == sorted(seen)
    writer.close()
    assert not list(tmp_path.glob(".copy*"))


def test_a_damaged_database_is_not_taken_for_a_backup(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base_of("sqlite", tmp_path, request)
    file = tmp_path / "clavero.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'usage_key'").fetchall()
    connection.close()
    with file.open("r+b") as raw:
        raw.seek((page - 1) * 4096 + 8)
        raw.write(b"\xff" * 64)
    with pytest.raises((StartFailure, sqlite3.DatabaseError)), snapshot.of_file(file, tmp_path / ".copy", quiet):
        pass
    assert not list(tmp_path.glob(".copy*"))


def test_names_are_quoted_whatever_is_in_them() -> None:
    assert snapshot.quoted(('a"; DROP TABLE x', "window")) == '"a""; DROP TABLE x", "window"'
