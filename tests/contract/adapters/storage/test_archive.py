"""What is old goes from the database and nothing else does: bounded turns, whole days on a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.archive_postgres import PostgresArchive
from clavero.adapters.storage.archive_sqlite import SqliteArchive
from clavero.adapters.storage.usage_rows import DAY_NS
from clavero.control.retention import Archive
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Place, Position, Talk
from clavero.domain.posting import Charge, Posting, Turn
from clavero.domain.retention import Kept
from clavero.domain.usage import Exchange
from clavero.testing.ledgers import PostgresTestLedger, SqliteTestLedger, SqlTestLedger

BOOT = BootId("e" * 32)
FIRST = 20_000
BUDGET = BudgetId("team/t:day")
FOR_EVER = BudgetId("key/k:total")


class House:
    """Ten days with five requests each, on a budget by day and one for ever."""

    def __init__(self, ledger: SqlTestLedger, archive: Archive) -> None:
        self.ledger, self.archive = ledger, archive
        ledger.lender(Place("h", "k")).register(BOOT, "w")
        books, at = ledger.books(), 0
        for day in range(FIRST, FIRST + 10):
            postings = [self.posting(day, number) for number in range(5)]
            assert books.post(Turn(BOOT, Position(0, at), Position(0, at + 9), 9, [], postings)) is not None
            at += 9
        assert books.close_boot(BOOT, Position(0, at), complete=True)

    def posting(self, day: int, number: int) -> Posting:
        name = f"req_{day}_{number}"
        exchange = Exchange(name, day * DAY_NS + number * 3600 * 10**9, service=f"s{number}", status=200, cost_n=7)
        keys = (RowKey(BUDGET, day * 86_400), RowKey(FOR_EVER, 0))
        return Posting(name, exchange, tuple(Charge(key, 7, 0) for key in keys))

    def count(self, query: str) -> int:
        return int(self.ledger.all(f"SELECT count(*) FROM {query}")[0][0])

    def drop_all(self, kept: Kept, before: int, most: int = 7) -> int:
        turns = 0
        while self.archive.drop(kept, before, most).rows:
            turns += 1
        return turns


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    ledger: SqlTestLedger
    archive: Archive
    if request.param == "sqlite":
        ledger = SqliteTestLedger(tmp_path / "clavero.db", SystemClock())
        archive = SqliteArchive(tmp_path / "clavero.db", SystemClock())
    else:
        url = request.getfixturevalue("postgres_url")
        ledger, archive = PostgresTestLedger(url), PostgresArchive(url, SystemClock())
        ledger.empty()
    yield House(ledger, archive)
    archive.close()
    ledger.close()


def test_records_before_a_day_go_and_later_ones_stay_whole(house: House) -> None:
    turns = house.drop_all(Kept.RECORDS, FIRST + 4)
    assert turns >= 3
    assert sorted({row["day"] for row in house.ledger.usage().values()}) == list(range(FIRST + 4, FIRST + 10))
    assert len(house.ledger.usage()) == 30
    assert house.ledger.all("SELECT value FROM meta WHERE name = 'records_from'") == [(str(FIRST + 4),)]
    assert house.count("usage_day") == 50
    house.drop_all(Kept.RECORDS, FIRST + 2)  # a longer retention brings nothing back, and says so
    assert house.ledger.all("SELECT value FROM meta WHERE name = 'records_from'") == [(str(FIRST + 4),)]


@pytest.mark.parametrize(
    ("kept", "table", "unit"),
    [
        (Kept.HOURS, "usage_hour", "hour / 24"),
        (Kept.DAYS, "usage_day", "day"),
        (Kept.MINUTES, "usage_minute", "minute / 1440"),
    ],
)
def test_sums_before_a_day_go_in_bounded_turns(house: House, kept: Kept, table: str, unit: str) -> None:
    assert house.archive.drop(kept, FIRST + 4, 7).rows == 7
    house.drop_all(kept, FIRST + 4)
    assert house.count(f"{table} WHERE {unit} < {FIRST + 4}") == 0
    assert house.count(table) == 30
    assert len(house.ledger.usage()) == 50


def test_a_row_of_the_ledger_goes_with_its_charges_and_what_is_for_ever_stays(house: House) -> None:
    before = house.ledger.row(RowKey(FOR_EVER, 0))
    house.drop_all(Kept.LEDGER, FIRST + 4, 100)
    assert house.count("ledger WHERE period_start > 0") == house.count("usage_charge WHERE period_start > 0") == 6
    assert house.ledger.row(RowKey(FOR_EVER, 0)) == before
    assert house.count("usage_charge WHERE period_start = 0") == 10


def test_a_row_with_money_out_is_not_over(house: House) -> None:
    key = RowKey(BUDGET, (FIRST + 1) * 86_400)
    with house.ledger.engine.begin() as connection:
        connection.execute(text("UPDATE ledger SET limit_n = 1000, excess = 0, state = 'open'"))
    house.ledger.budget(BUDGET, 1000)
    lender = house.ledger.lender(Place("h", "k"))
    other = BootId("f" * 32)
    lender.register(other, "v")
    lender.talk(Talk(other, 1, 0, {}, {}, (Ask("r", {key: 5}, {}, {}),)))
    house.drop_all(Kept.LEDGER, FIRST + 4, 100)
    assert house.ledger.row(key).leased == 5
    assert house.count("ledger WHERE period_start > 0") == 7


def test_changes_are_forgotten_but_for_the_newest(house: House) -> None:
    rows = [{"kind": "team", "id": str(number), "at": DAY_NS * FIRST} for number in range(1, 1_201)]
    with house.ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM change_log"))
        connection.execute(text("INSERT INTO change_log (kind, id, at_ns) VALUES (:kind, :id, :at)"), rows)
    newest = house.ledger.all("SELECT max(seq) FROM change_log")
    assert house.archive.drop(Kept.CHANGES, FIRST + 1, 150).rows == 150
    house.drop_all(Kept.CHANGES, FIRST + 1, 150)
    assert house.count("change_log") == 1_000
    assert house.ledger.all("SELECT max(seq) FROM change_log") == newest
    assert house.archive.drop(Kept.CHANGES, FIRST, 150).rows == 0


def test_days_ahead_have_their_place(house: House) -> None:
    house.archive.open_days(40_000, 3)
    house.archive.open_days(40_001, 3)
    if isinstance(house.ledger, PostgresTestLedger):
        names = house.ledger.all("SELECT relname FROM pg_class WHERE relname LIKE 'usage_d4%' AND relispartition")
        assert {name for (name,) in names if name.startswith("usage_d4")} >= {
            f"usage_d{day}" for day in range(40_000, 40_004)
        }
