"""Transactions on PostgreSQL: whole or not at all, and each failure of its own kind."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Away, OutcomeUnknown, Refused
from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.testing.ledgers import PostgresTestLedger

ADD = Statement("INSERT INTO budget VALUES (:id, 'key', 'n', 'day', 1, 'reject', 'open', 0)")
ALL = Statement("SELECT id FROM budget ORDER BY id")


@pytest.fixture
def database(postgres_ledger: PostgresTestLedger) -> Iterator[PostgresDatabase]:
    postgres_ledger.empty()
    made = PostgresDatabase(postgres_ledger.url)
    yield made
    made.close()
    postgres_ledger.close()


def names(database: PostgresDatabase) -> list[str]:
    with database.transaction(write=False) as session:
        return [name for (name,) in session.rows(ALL, {})]


def test_a_transaction_is_whole_or_not_at_all(database: PostgresDatabase) -> None:
    with database.transaction() as session:
        assert session.change(ADD, {"id": "a"}) == 1
    with pytest.raises(KeyError), database.transaction() as session:  # noqa: PT012 - the whole is what fails
        session.change(ADD, {"id": "b"})
        raise KeyError
    assert names(database) == ["a"]


def test_what_the_server_refuses_is_told_and_undoes_the_rest(database: PostgresDatabase) -> None:
    for bad in ("a", None, "n\0l", "\ud800"):
        with pytest.raises(Refused), database.transaction() as session:  # noqa: PT012 - the whole is what fails
            session.change(ADD, {"id": "a"})
            session.many(ADD, [{"id": bad}])
    assert names(database) == []


def test_a_part_is_undone_alone(database: PostgresDatabase) -> None:
    with database.transaction() as session:
        session.change(ADD, {"id": "a"})
        with pytest.raises(Refused), session.attempt():  # noqa: PT012 - the whole is what fails
            session.change(ADD, {"id": "b"})
            session.change(ADD, {"id": "a"})
        with session.attempt():
            session.change(ADD, {"id": "c"})
    assert names(database) == ["a", "c"]


def test_a_statement_that_fails_otherwise_is_a_database_that_is_away(database: PostgresDatabase) -> None:
    with pytest.raises(Away), database.transaction() as session:
        session.rows(Statement("SELECT * FROM nothing"), {})
    assert names(database) == [], "and it is connected to anew"


def test_a_look_changes_nothing(database: PostgresDatabase) -> None:
    with pytest.raises(Away, match="read-only"), database.transaction(write=False) as session:
        session.change(ADD, {"id": "a"})


def test_nobody_who_sleeps_inside_a_transaction_stops_the_others(database: PostgresDatabase) -> None:
    with database.transaction() as session:
        found = dict(session.rows(Statement("SELECT name, setting FROM pg_settings"), {}))
    assert found["idle_in_transaction_session_timeout"] == "1000"
    assert found["synchronous_commit"] == "on"
    assert found["transaction_isolation"] == "read committed"


def test_who_slept_too_long_finds_the_transaction_gone_and_connects_anew(database: PostgresDatabase) -> None:
    with pytest.raises(Away), database.transaction() as session:  # noqa: PT012 - the whole is what fails
        session.change(ADD, {"id": "a"})
        [(pid,)] = session.rows(Statement("SELECT pg_backend_pid()"), {})
        with psycopg.connect(database._url) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        session.change(ADD, {"id": "b"})
    assert names(database) == []


def test_the_server_ends_who_sleeps_after_a_batch(database: PostgresDatabase) -> None:
    """The driver's pipeline turns the limit on idle transactions off; a batch must not end with it."""
    with pytest.raises((Away, OutcomeUnknown)), database.transaction() as session:  # noqa: PT012 - the whole is what fails
        session.many(ADD, [{"id": "a"}, {"id": "b"}])
        [(pid,)] = session.rows(Statement("SELECT pg_backend_pid()"), {})
        session.many(ADD, [{"id": "c"}])
        with psycopg.connect(database._url, autocommit=True) as other:
            alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
            until = time.monotonic() + 5
            while other.execute(alive, (pid,)).fetchone() != (0,):
                assert time.monotonic() < until, "it would hold its locks for as long as it sleeps"
                time.sleep(0.05)
    assert names(database) == []


def test_a_transaction_has_an_end_even_in_the_middle_of_a_batch(database: PostgresDatabase) -> None:
    with database.transaction() as session:
        found = dict(session.rows(Statement("SELECT name, setting FROM pg_settings"), {}))
    assert found.get("transaction_timeout", "10000") == "10000"
