"""Questions about usage go by keys and indexes, however many records there are."""

import re
from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.archive import _FORGET, _RECORDS
from clavero.adapters.storage.ledger_sql import Dialect, Statement
from clavero.adapters.storage.queries import query
from clavero.adapters.storage.usage_sql import USED
from clavero.testing.ledgers import SqliteTestLedger

ASKED = {
    "trace": "SEARCH u USING INDEX sqlite_autoindex_usage_1 (day=? AND hold_id>? AND hold_id<?)",
    "requests_between": "SEARCH u USING INDEX usage_time (at_ns>? AND at_ns<?)",
    "usage_speed": "SEARCH u USING INDEX usage_time (at_ns>?)",
    "days_of": "SEARCH usage_day USING PRIMARY KEY (day>? AND day<?)",
    "hours_of": "SEARCH usage_hour USING PRIMARY KEY (hour>? AND hour<?)",
    "usage_steps": "SEARCH usage_minute USING PRIMARY KEY (minute>? AND minute<?)",
    "usage_by:service,key": "SEARCH usage_day USING PRIMARY KEY (day>? AND day<?)",
    "usage_hours_by:day": "SEARCH usage_hour USING PRIMARY KEY (hour>? AND hour<?)",
    "usage_total": "SEARCH usage_day USING PRIMARY KEY (day>? AND day<?)",
    "charge_differences": "SEARCH usage_charge USING PRIMARY KEY (day>?)",
}


def plan(folder: Path, sql: str) -> list[str]:
    ledger = SqliteTestLedger(folder / "clavero.db", SystemClock())
    names = set(re.findall(r":(\w+)", sql))
    values = {name: "[]" if name in {"numbers", "days", "ids", "keys"} else 1 for name in names}
    with ledger.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("EXPLAIN QUERY PLAN " + sql, values)
        lines = [str(row[3]) for row in cursor.fetchall()]
    ledger.close()
    return lines


@pytest.mark.parametrize("name", ASKED)
def test_a_question_reads_what_it_is_about(name: str, tmp_path: Path) -> None:
    lines = plan(tmp_path, query(name, Dialect.SQLITE))
    assert ASKED[name] in lines, lines
    assert not [line for line in lines if line.startswith(("SCAN u ", "SCAN usage_day", "SCAN usage_hour"))], lines


@pytest.mark.parametrize("statement", [_RECORDS, USED, *_FORGET.values()], ids=lambda one: one.text.split()[2])
def test_what_runs_under_the_lock_never_walks_a_table(statement: Statement, tmp_path: Path) -> None:
    lines = plan(tmp_path, statement.named(Dialect.SQLITE))
    assert not [line for line in lines if line.startswith("SCAN") and "json_each" not in line], lines
