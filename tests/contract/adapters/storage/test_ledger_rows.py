"""Rows and leases between tables and structs: what changed is written, and only that, as differences."""

from copy import copy
from pathlib import Path

import pytest

from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage.ledger_rows import find_leases, find_rows, keys_json, move_leases, move_rows, snapshot
from clavero.adapters.storage.session_sqlite import SqliteDatabase
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Lease, Row, Talk
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import SqliteTestLedger

A = BootId("a" * 32)
KEY, TEAM = RowKey(BudgetId("key/k:day"), 86_400), RowKey(BudgetId("team/t:day"), 0)


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteTestLedger:
    made = SqliteTestLedger(tmp_path / "clavero.db", StoppedClock())
    for key in (KEY, TEAM):
        made.budget(key.budget, 100)
    lender = made.lender()
    lender.register(A, "w")
    lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 50, TEAM: 50}, {}, {}),)))
    made.close()
    return made


def test_keys_are_listed_in_the_order_in_which_they_are_locked() -> None:
    assert keys_json({TEAM, KEY}) == '[["key/k:day", 86400], ["team/t:day", 0]]'


def test_what_was_read_stays_as_it_was() -> None:
    rows = {KEY: Row(5)}
    before = snapshot(rows)
    rows[KEY].posted = 1
    assert before == {KEY: Row(5)}


def test_differences_meet_what_somebody_else_changed_meanwhile(ledger: SqliteTestLedger) -> None:
    database = SqliteDatabase(ledger.path, ledger.clock)
    with database.transaction() as session:
        rows = find_rows(session, sql.LOCK_ROWS, [KEY, TEAM])
        before = snapshot(rows)
        rows[KEY].posted += 5
        move_rows(session, before, rows)
        move_rows(session, before, rows)
    assert (ledger.row(KEY).posted, ledger.row(TEAM).posted) == (10, 0)
    database.close()


def test_a_new_lease_is_added_and_a_known_one_is_moved(ledger: SqliteTestLedger) -> None:
    database = SqliteDatabase(ledger.path, ledger.clock)
    with database.transaction() as session:
        own = {key: lease for _, key, lease in find_leases(session, sql.OWN_LEASES, A, [KEY])}
        after = {KEY: copy(own[KEY]), RowKey(BudgetId("new"), 0): Lease(granted=3, acked=9)}
        after[KEY].posted += 5
        move_leases(session, A, own, after)
    leases = ledger.leases()
    assert leases[A, KEY].share == 45
    assert leases[A, RowKey(BudgetId("new"), 0)] == Lease(granted=3, acked=9)
    assert leases[A, TEAM].share == 50
    database.close()
    ledger.close()
