"""A database that is away says so; what is common to both stands in test_archive."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.archive_postgres import PostgresArchive
from clavero.adapters.storage.usage_rows import DAY_NS
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import Posting, Turn
from clavero.domain.retention import Kept
from clavero.domain.usage import Exchange
from clavero.testing.ledgers import PostgresTestLedger

BOOT = BootId("a" * 32)


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[PostgresTestLedger]:
    made = PostgresTestLedger(postgres_url)
    made.empty()
    made.lender(Place("h", "k")).register(BOOT, "w")
    yield made
    made.close()


def post(ledger: PostgresTestLedger, at: int, *days: int) -> None:
    made = [Posting(f"r{at}.{day}", Exchange(f"r{at}", day * DAY_NS)) for day in days]
    posted = ledger.books().post(Turn(BOOT, Position(0, at), Position(0, at + 1), 1, [], made))
    assert posted is not None
    assert posted.rejected == 0


def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(ConnectionError):
        PostgresArchive("postgresql://127.0.0.1:1/none", SystemClock()).drop(Kept.RECORDS, 1, 1)


def test_who_reads_for_long_makes_forgetting_wait_and_nobody_else(ledger: PostgresTestLedger) -> None:
    post(ledger, 0, 100, 20_000)
    archive = PostgresArchive(ledger.url, SystemClock())
    with psycopg.connect(ledger.url) as reader:
        reader.execute("SELECT count(*) FROM usage")
        with pytest.raises(ConnectionError):
            archive.drop(Kept.RECORDS, 101, 1)
        post(ledger, 1, 20_000)  # ingest goes on beside the reader
    while archive.drop(Kept.RECORDS, 101, 1).rows:
        pass
    assert {row["day"] for row in ledger.usage().values()} == {20_000}
    archive.close()


def test_a_late_row_of_a_day_that_was_forgotten_finds_a_place_again(ledger: PostgresTestLedger) -> None:
    post(ledger, 0, 200)
    archive = PostgresArchive(ledger.url, SystemClock())
    assert archive.drop(Kept.RECORDS, 201, 1).rows == 1  # taken off, and not dropped yet
    post(ledger, 1, 200)
    assert [row["request_id"] for row in ledger.usage().values()] == ["r1"]
    while archive.drop(Kept.RECORDS, 201, 1).rows:
        pass
    post(ledger, 2, 200)
    assert [row["request_id"] for row in ledger.usage().values()] == ["r2"]
    archive.close()


def test_two_that_forget_take_each_day_once(ledger: PostgresTestLedger) -> None:
    post(ledger, 0, *range(300, 306), 20_000)
    failures: list[Exception] = []

    def forget() -> None:
        archive = PostgresArchive(ledger.url, SystemClock())
        try:
            while archive.drop(Kept.RECORDS, 400, 1).rows:
                pass
        except Exception as error:  # noqa: BLE001 - a thread tells what it met
            failures.append(error)
        archive.close()

    threads = [threading.Thread(target=forget) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {row["day"] for row in ledger.usage().values()} == {20_000}
