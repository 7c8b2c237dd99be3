"""Transactions on SQLite: whole or not at all, and each failure of its own kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Away, Refused
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import SqliteTestLedger

ADD = Statement("INSERT INTO meta (name, value) VALUES (:name, :value)")
ALL = Statement("SELECT name FROM meta WHERE value = :value ORDER BY name")
NOW = Statement("SELECT {now}")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    SqliteTestLedger(tmp_path / "clavero.db", StoppedClock()).close()
    made = SqliteDatabase(tmp_path / "clavero.db", StoppedClock(wall_ns=42))
    yield made
    made.close()


def add(name: str) -> dict[str, str]:
    return {"name": name, "value": "mine"}


def names(database: SqliteDatabase) -> list[str]:
    with database.transaction(write=False) as session:
        return [name for (name,) in session.rows(ALL, {"value": "mine"})]


def test_a_transaction_is_whole_or_not_at_all(database: SqliteDatabase) -> None:
    with database.transaction() as session:
        assert session.change(ADD, add("a")) == 1
    with pytest.raises(KeyError), database.transaction() as session:  # noqa: PT012 - the whole is what fails
        session.change(ADD, add("b"))
        raise KeyError
    assert names(database) == ["a"]


def test_what_a_table_refuses_is_told_and_undoes_the_rest(database: SqliteDatabase) -> None:
    for values in (add("a"), {"name": None, "value": ""}, {"name": 1 << 70, "value": ""}):
        with pytest.raises(Refused), database.transaction() as session:  # noqa: PT012 - the whole is what fails
            session.change(ADD, add("a"))
            session.many(ADD, [values])
    assert names(database) == []


def test_a_part_is_undone_alone(database: SqliteDatabase) -> None:
    with database.transaction() as session:
        session.change(ADD, add("a"))
        with pytest.raises(Refused), session.attempt():  # noqa: PT012 - the whole is what fails
            session.change(ADD, add("b"))
            session.change(ADD, add("a"))
        with session.attempt():
            session.change(ADD, add("c"))
    assert names(database) == ["a", "c"]


def test_a_statement_that_fails_otherwise_is_a_database_that_is_away(database: SqliteDatabase) -> None:
    with pytest.raises(Away), database.transaction() as session:
        session.rows(Statement("SELECT * FROM nothing"), {})
    assert names(database) == [], "and it is connected to anew"


def test_now_is_the_machines_clock(database: SqliteDatabase) -> None:
    with database.transaction() as session:
        assert session.rows(NOW, {}) == [(42,)]


def test_commits_are_on_the_disk(database: SqliteDatabase) -> None:
    with database.transaction() as session:
        assert session.rows(Statement("PRAGMA synchronous"), {}) == [(2,)]
        assert session.rows(Statement("PRAGMA journal_mode"), {}) == [("wal",)]
