"""On a server each day has its partition, made before a row of it comes."""

import threading
from collections.abc import Iterator

import pytest

from clavero.adapters.storage.session_postgres import PostgresDatabase
from clavero.adapters.storage.usage_days import DAYS, open_days
from clavero.adapters.storage.usage_rows import DAY_NS
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import Posting, Turn
from clavero.domain.usage import Exchange
from clavero.testing.ledgers import PostgresTestLedger

BOOT = BootId("d" * 32)


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[PostgresTestLedger]:
    made = PostgresTestLedger(postgres_url)
    made.empty()
    yield made
    made.close()


def days(ledger: PostgresTestLedger) -> list[int]:
    database = PostgresDatabase(ledger.url)
    with database.transaction(write=False) as session:
        found = session.rows(DAYS, {})
    database.close()
    assert all(attached for _, attached in found)
    return [day for day, _ in found]


def test_rows_of_any_day_find_their_partition(ledger: PostgresTestLedger) -> None:
    """Late ones, early ones, and those of a clock that is wrong by centuries."""
    wanted = [-106_000, -1, 0, 20_400, 20_500, 106_000]
    ledger.lender(Place("h", "k")).register(BOOT, "w")
    made = [Posting(f"r{day}", Exchange(f"r{day}", day * DAY_NS)) for day in wanted]
    posted = ledger.books().post(Turn(BOOT, Position(0, 0), Position(0, 9), 9, [], made))
    assert posted is not None
    assert posted.rejected == 0
    assert {row["day"] for row in ledger.usage().values()} == set(wanted)
    assert set(wanted) <= set(days(ledger))


def test_a_day_is_made_once_whoever_makes_it(ledger: PostgresTestLedger) -> None:
    failures = []

    def make() -> None:
        database = PostgresDatabase(ledger.url)
        try:
            with database.transaction() as session:
                open_days(session, range(30_000, 30_005))
        except Exception as error:  # noqa: BLE001 - a thread tells what it met
            failures.append(error)
        database.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [day for day in days(ledger) if 30_000 <= day < 30_010] == list(range(30_000, 30_005))
