"""What only the PostgreSQL lender can meet: sessions ended behind its back, several workers inside at once."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from clavero.adapters.storage.lender_postgres import PostgresLender
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Answer, Ask, BootId, Talk
from clavero.testing.ledgers import HERE, PostgresTestLedger

pytestmark = pytest.mark.parametrize("ledger", ["postgres"], indirect=True)
A = BootId("a" * 32)
ROWS = tuple(RowKey(BudgetId(f"key/{name:012d}:day"), 86_400) for name in range(3))


def end_sessions(ledger: PostgresTestLedger) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))


def test_a_session_ended_behind_its_back_is_made_anew_once(ledger: PostgresTestLedger) -> None:
    ledger.budget(ROWS[0].budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    end_sessions(ledger)
    terms = lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {ROWS[0]: 10}, {}, {}),)))
    assert terms.verdicts["r"].answer is Answer.GRANTED
    assert ledger.row(ROWS[0]).leased == 10


def test_a_server_that_is_away_is_a_connection_error(ledger: PostgresTestLedger) -> None:
    lender = PostgresLender("postgresql://nobody@/nothing?host=/nonexistent", HERE)
    with pytest.raises(ConnectionError):
        lender.register(A, "w")
    lender.close()


def test_workers_inside_at_once_neither_overspend_nor_stop_each_other(ledger: PostgresTestLedger) -> None:
    for row in ROWS:
        ledger.budget(row.budget, 1000)
    start = threading.Barrier(4)

    def work(number: int) -> int:
        boot, lender, granted = BootId(f"{number:032x}"), ledger.lender(), 0
        lender.register(boot, "w")
        start.wait()
        returned = dict.fromkeys(ROWS, 0)
        for step in range(25):
            rows = [ROWS[(step + number) % 3], ROWS[(step + number + 1) % 3]]
            ask = Ask(f"{number}.{step}", dict.fromkeys(rows, 20), {}, {})
            terms = lender.talk(Talk(boot, 1, 0, returned, {}, (ask,)))
            granted += terms.verdicts[ask.request_id].answer is Answer.GRANTED
            if step % 5 == 4:
                returned = {row: terms.rows[row].granted for row in rows}
        return granted

    with ThreadPoolExecutor(4) as pool:
        granted = list(pool.map(work, range(4)))
    assert all(granted)
    shares = ledger.leases()
    for row in ROWS:
        found = ledger.row(row)
        assert found.leased == sum(lease.share for (_, key), lease in shares.items() if key == row)
        assert found.leased <= found.limit
        assert found.excess == 0


STOPS = """
import contextlib, os, signal, sys
from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage.lender import SqlLender
from clavero.adapters.storage.session_postgres import PostgresDatabase, PostgresSession
from clavero.domain.budgets import RowKey
from clavero.domain.ledger import Ask, Place, Talk

class Stops(PostgresSession):
    stopped = False
    def rows(self, statement, values):
        found = super().rows(statement, values)
        if statement is sql.LOCK_ROWS and not Stops.stopped:
            Stops.stopped = True
            print("inside", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return found

class Database(PostgresDatabase):
    @contextlib.contextmanager
    def transaction(self, *, write=True):
        with super().transaction(write=write) as session:
            yield Stops(session._connection)

lender = SqlLender(Database(sys.argv[1]), Place("home", "kernel"), reconnect=True)
key = RowKey(sys.argv[2], 86_400)
lender.register("b" * 32, "w")
terms = lender.talk(Talk("b" * 32, 1, 0, {}, {}, (Ask("b1", {key: 30}, {}, {}),)))
print(terms.verdicts["b1"].answer.value, terms.rows[key].granted, flush=True)
"""


def test_a_process_that_is_stopped_inside_a_transaction_holds_the_others_up_for_a_second_and_no_longer(
    ledger: PostgresTestLedger,
) -> None:
    """The server ends its session; whoever wakes up finds nothing of it done, and does it anew (L11)."""
    ledger.budget(ROWS[0].budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    with subprocess.Popen(
        [sys.executable, "-c", STOPS, ledger.url, ROWS[0].budget], stdout=subprocess.PIPE, text=True
    ) as sleeper:
        try:
            assert sleeper.stdout is not None
            assert sleeper.stdout.readline() == "inside\n"
            terms = lender.talk(Talk(A, 1, 0, {}, {}, (Ask("a1", {ROWS[0]: 60}, {}, {}),)))
            assert terms.verdicts["a1"].answer is Answer.GRANTED, "without waiting for it to wake up"
            assert ledger.row(ROWS[0]).leased == 60
        finally:
            sleeper.send_signal(signal.SIGCONT)
        assert sleeper.stdout.readline() == "granted 30\n"
    assert sleeper.returncode == 0
    assert ledger.row(ROWS[0]).leased == 90


def test_a_budget_changed_while_its_first_row_is_made_gives_the_row_its_new_limit(ledger: PostgresTestLedger) -> None:
    ledger.budget(ROWS[0].budget, 100)
    lender = ledger.lender()
    lender.register(A, "w")
    with ThreadPoolExecutor(1) as pool, ledger.engine.begin() as connection:
        connection.execute(text("UPDATE budget SET limit_n = 5"))
        asked = pool.submit(lender.talk, Talk(A, 1, 0, {}, {}, (Ask("r", {ROWS[0]: 10}, {}, {}),)))
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.2)
        connection.commit()
        assert asked.result(timeout=5).verdicts["r"].answer is Answer.REFUSED
    assert ledger.row(ROWS[0]).limit == 5


def test_a_worker_on_postgresql_loads_no_orm(ledger: PostgresTestLedger) -> None:
    probe = "import sys, clavero.adapters.storage.lender_postgres; print(*(m for m in sys.modules), sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    assert "psycopg" in loaded
    assert not {"sqlalchemy", "aiosqlite", "fastapi", "pydantic"} & set(loaded)
