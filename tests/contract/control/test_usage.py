"""Reports on both databases: every group adds up to the total, and the total to the ledger, to the nano-dollar."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from clavero.adapters.clock import SystemDice
from clavero.adapters.storage.books_postgres import PostgresBooks
from clavero.adapters.storage.books_sqlite import SqliteBooks
from clavero.adapters.storage.queries import GROUPS as KNOWN
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.control import budgets, organisation, usage
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.control.unseal import Tools, open_desk
from clavero.domain.access import SYSTEM
from clavero.domain.budgets import Budget, RowKey, Subject, Window, period_start
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import Charge, Posting, Turn
from clavero.domain.refusals import InvalidValue, NotFound
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.ports import Books, Lender
from clavero.testing.clock import StoppedClock
from clavero.testing.unsealer import MemoryUnsealer

DAY_S, DAY_NS = 86_400, 86_400 * 10**9
HOUR_NS = 3600 * 10**9
BOOT = BootId("b" * 32)


class House:
    """A desk, budgets on a team by day and on the organisation by month, and a reader that posts to the ledger."""

    def __init__(self, desk: Desk, clock: StoppedClock, lender: Lender, books: Books) -> None:
        self.desk, self.clock, self.lender, self.books = desk, clock, lender, books
        self.lender.register(BOOT, "w")
        self.at = Position(0, 0)
        self.number = 0

    @property
    def today_s(self) -> int:
        return period_start(Window.DAY, self.clock.wall_ns())

    async def limits(self) -> None:
        await perform(self.desk, SYSTEM, organisation.add_team, name="support")
        self.team = await self._limit(Subject.TEAM, "support", Window.DAY)
        self.all = await self._limit(Subject.ORGANISATION, "", Window.MONTH)

    async def _limit(self, subject: Subject, name: str, window: Window) -> Budget:
        wanted = NewBudget(subject=subject, name=name, window=window, limit_n=10**12)
        return await perform(self.desk, SYSTEM, budgets.set_budget, wanted=wanted)

    def spend(self, cost: int, *, days_ago: int = 0, on: tuple[Budget, ...] | None = None, **known: object) -> str:
        """One exchange, posted; returns its request id."""
        self.number += 1
        name = f"req_{self.number:04d}"
        at_ns = self.clock.wall_ns() - days_ago * DAY_NS
        facts = {"service": "chat", "model_served": "m", "status": 200, "team": "support", **known}
        exchange = Exchange(name, at_ns, cost_n=cost, tokens=Tokens(10, 1, 2, 3, 4), **facts)  # type: ignore[arg-type] # facts of a test
        rows = [RowKey(one.id, period_start(one.window, at_ns)) for one in (self.team, self.all)]
        if on is not None:
            rows = [RowKey(one.id, period_start(one.window, at_ns)) for one in on]
        self.post(Posting(name, exchange, tuple(Charge(row, cost, 0) for row in rows)))
        return name

    def post(self, *postings: Posting) -> None:
        to = Position(0, self.at.off + 10)
        assert self.books.post(Turn(BOOT, self.at, to, 10, [], list(postings))) is not None
        self.at = to

    async def report(self, *by: str, days: int = 1) -> usage.Report:
        return await usage.report(self.desk, by, self.today_s - (days - 1) * DAY_S, self.today_s + DAY_S)


@pytest.fixture(params=["sqlite", "postgres"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    clock = StoppedClock()
    place = Place("h", "k")
    books: Books
    lender: Lender
    store: SqlStore
    if request.param == "sqlite":
        from clavero.adapters.storage.lender_sqlite import SqliteLender

        file = tmp_path / "clavero.db"
        store, books, lender = sqlite_store(file), SqliteBooks(file, clock), SqliteLender(file, place, clock)
    else:
        from clavero.adapters.storage.lender_postgres import PostgresLender

        url = _fresh(request.getfixturevalue("postgres_url"))
        store, books, lender = postgres_store(url), PostgresBooks(url, clock), PostgresLender(url, place)
    await store.open()
    made = House(await open_desk(Tools(store, clock, SystemDice()), MemoryUnsealer(os.urandom)), clock, lender, books)
    await made.limits()
    yield made
    lender.close()
    books.close()
    await store.close()


def _fresh(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS control_usage WITH (FORCE)")
        server.execute("CREATE DATABASE control_usage")
    return make_url(url).set(database="control_usage").render_as_string(hide_password=False)


def _services() -> Iterator[tuple[str, int]]:
    yield from (("chat", 7), ("chat", 11), ("mail", 13), ("mail", 0))


@pytest.mark.requirement(53)
@pytest.mark.parametrize("group", usage.GROUPS)
async def test_every_group_adds_up_to_the_total_and_the_total_to_the_ledger(house: House, group: str) -> None:
    for service, cost in _services():
        house.spend(cost, service=service, feature=f"f{cost}", owner="asha", days_ago=cost % 2)
    report = await house.report(group, days=2)
    assert sum(row["cost_n"] for row in report.rows) == report.total["cost_n"] == 31
    assert sum(row["calls"] for row in report.rows) == report.total["calls"] == 4
    assert report.total["input"] == 40
    assert report.ledger_n == report.charged_n == 31
    assert report.equal
    assert all(isinstance(value, int | str) for row in report.rows for value in row.values())


def test_the_groups_that_can_be_asked_for_are_the_groups_there_are() -> None:
    assert set(usage.GROUPS) == set(KNOWN)


async def test_groups_combine_dearest_first(house: House) -> None:
    for service, cost in _services():
        house.spend(cost, service=service, model_served="big" if cost > 10 else "small")
    report = await house.report("service", "model")
    assert [(row["service"], row["model"], row["cost_n"]) for row in report.rows] == [
        ("mail", "big", 13), ("chat", "big", 11), ("chat", "small", 7), ("mail", "small", 0),
    ]  # fmt: skip


async def test_days_are_whole_and_utc_and_the_end_is_not_among_them(house: House) -> None:
    for days_ago in range(3):
        house.spend(10**days_ago, days_ago=days_ago)
    report = await usage.report(house.desk, ["day"], house.today_s - DAY_S + 5, house.today_s - 5)
    assert (report.since_s, report.until_s) == (house.today_s - DAY_S, house.today_s)
    assert [(row["day"], row["cost_n"]) for row in report.rows] == [("2027-01-14", 10)]
    assert report.equal


async def test_a_part_of_a_month_equals_its_part_of_the_months_ledger(house: House) -> None:
    """The row of the organisation covers the month; the report asks for one day of it."""
    house.spend(5, days_ago=3, on=(house.all,))
    house.spend(7, days_ago=0, on=(house.all,))
    report = await house.report()
    assert (report.ledger_n, report.charged_n, report.equal) == (7, 7, True)


async def test_what_no_budget_applies_to_is_said_apart(house: House) -> None:
    house.spend(5)
    house.spend(7, on=())
    report = await house.report()
    assert (report.total["cost_n"], report.ledger_n, report.unbudgeted_n, report.equal) == (12, 5, 7, True)


@pytest.mark.parametrize("lost", [1, -1])
async def test_a_ledger_that_says_otherwise_is_told_row_by_row(house: House, lost: int) -> None:
    house.spend(5)
    house.spend(7)
    assert isinstance(house.desk.store, SqlStore)
    async with house.desk.store._engine.begin() as connection:
        await connection.execute(
            text("UPDATE ledger SET posted = posted - :lost WHERE budget_id LIKE 'team/%'"), {"lost": lost}
        )
    report = await house.report()
    assert not report.equal
    assert [(one.budget, one.usage_n, one.ledger_n) for one in report.differences] == [(house.team.id, 12, 12 - lost)]
    assert report.ledger_n == 12 - lost


async def test_a_row_that_left_usage_is_missed(house: House) -> None:
    house.spend(5)
    gone = house.spend(7)
    assert isinstance(house.desk.store, SqlStore)
    async with house.desk.store._engine.begin() as connection:
        await connection.execute(text("DELETE FROM usage WHERE request_id = :id"), {"id": gone})
    assert not (await house.report()).equal


async def test_a_hold_at_midnight_is_in_both_books(house: House) -> None:
    """The request arrived on one day, its hold was taken on the next."""
    at_ns = house.today_s * 10**9 - 1
    row = RowKey(house.team.id, house.today_s)
    house.post(Posting("req_x", Exchange("req_x", at_ns, cost_n=9), (Charge(row, 9, 0),)))
    house.spend(4)
    for since_s in (house.today_s - DAY_S, house.today_s):
        report = await usage.report(house.desk, [], since_s, since_s + DAY_S)
        assert report.equal, report
    assert report.total["cost_n"] == 4


@pytest.mark.parametrize("by", [["colour"], ["service", "1; DROP TABLE usage"], [""], ["hold_id"]])
async def test_an_unknown_group_is_refused_with_the_groups_there_are(house: House, by: list[str]) -> None:
    with pytest.raises(InvalidValue, match="some of service, model, feature"):
        await house.report(*by)


@pytest.mark.parametrize(("since_s", "until_s"), [(DAY_S, DAY_S), (DAY_S, 0), (-DAY_S, DAY_S), (0, 1 << 70)])
async def test_days_that_are_none_are_refused(house: House, since_s: int, until_s: int) -> None:
    with pytest.raises(InvalidValue):
        await usage.report(house.desk, ["service"], since_s, until_s)


async def test_an_empty_report_is_whole(house: House) -> None:
    report = await house.report("service")
    assert (report.rows, report.total["cost_n"], report.ledger_n, report.equal) == ([], 0, 0, True)


@pytest.mark.requirement(1)
async def test_a_trace_has_every_leg_the_closing_one_last(house: House) -> None:
    attempt = Attempt("openai", "m", 1, 2, 200)
    for number, final in ((1, False), (2, True)):
        exchange = Exchange("req_t", house.clock.wall_ns() + number, cost_n=number, final=final, attempts=(attempt,))
        charge = Charge(RowKey(house.team.id, house.today_s), number, 0)
        house.post(Posting(f"req_t/{number}", exchange, (charge,)))
    found = await usage.trace(house.desk, "req_t")
    assert [leg["final"] for leg in found.legs] == [False, True]
    assert (found.cost_n, found.last["cost_n"], found.last["at"]) == (3, 2, "2027-01-15T08:00:00Z")
    assert found.last["attempts"][0][:2] == ["openai", "m"]
    assert found.last["amounts"] == [[house.team.id, house.today_s, 2]]
    with pytest.raises(NotFound):
        await usage.trace(house.desk, "req_unknown")


async def test_the_newest_requests_come_first_and_only_those_that_pass(house: House) -> None:
    for number in range(5):
        house.clock.advance(1)
        house.spend(
            1, service="mail" if number % 2 else "chat", code="overloaded" if number == 3 else "", key_id=f"k{number}"
        )
    assert [row["request_id"] for row in await usage.latest(house.desk, most=3)] == ["req_0005", "req_0004", "req_0003"]
    assert [row["request_id"] for row in await usage.latest(house.desk, service="mail")] == ["req_0004", "req_0002"]
    assert [row["request_id"] for row in await usage.latest(house.desk, code="overloaded")] == ["req_0004"]
    assert [row["request_id"] for row in await usage.latest(house.desk, key="k0")] == ["req_0001"]
    assert await usage.latest(house.desk, model="'; --") == []
    third = (await usage.latest(house.desk, most=3))[-1]["at_ns"]
    assert [row["request_id"] for row in await usage.latest(house.desk, before_ns=third)] == ["req_0002", "req_0001"]


async def test_a_timeline_has_every_slot_and_the_95th_percentile_of_each(house: House) -> None:
    since_ns = house.clock.wall_ns() // HOUR_NS * HOUR_NS
    for number in range(1, 101):
        house.spend(1, total_us=number, overhead_us=101 - number)
    house.clock.advance(2 * 3600)
    house.spend(1, status=502, code="upstream_error", total_us=9)
    house.spend(0, status=429, code="insufficient_quota", total_us=3)
    house.spend(5, final=False, total_us=10**6)
    slots = await usage.timeline(house.desk, since_ns + 1, HOUR_NS)
    assert [(one.requests, one.errors, one.refused, one.cost_n) for one in slots] == [
        (100, 0, 0, 100),
        (0, 0, 0, 0),
        (2, 1, 1, 6),
    ]
    assert [one.at_ns for one in slots] == [since_ns + hour * HOUR_NS for hour in range(3)]
    assert [(one.p95_us, one.p95_overhead_us) for one in slots] == [(95, 95), (0, 0), (9, 0)]


@pytest.mark.parametrize("bucket_ns", [0, -1, 1])
async def test_a_timeline_of_too_many_slots_is_refused(house: House, bucket_ns: int) -> None:
    with pytest.raises(InvalidValue):
        await usage.timeline(house.desk, 0, bucket_ns)
