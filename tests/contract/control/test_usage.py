"""Reports on both databases: every group adds up to the total, and the total to the ledger, to the nano-dollar."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from tests.contract.control.ledger_house import DAY_S, HOUR_NS, House

from clavero.adapters.storage.store import SqlStore
from clavero.adapters.storage.usage_queries import GROUPS as KNOWN
from clavero.control import usage
from clavero.domain.budgets import RowKey
from clavero.domain.posting import Charge, Posting
from clavero.domain.refusals import InvalidValue
from clavero.domain.usage import Exchange


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


async def test_sums_stay_when_records_are_deleted(house: House) -> None:
    house.spend(5)
    house.spend(7)
    before = await house.report("service")
    assert isinstance(house.desk.store, SqlStore)
    async with house.desk.store._engine.begin() as connection:
        await connection.execute(text("DELETE FROM usage"))
    assert await house.report("service") == before


async def test_hours_are_whole_where_they_are_asked_for(house: House) -> None:
    now_s = house.clock.wall_ns() // 10**9
    for hours_ago in (0, 1, 5, 30, 80):
        exchange = Exchange(f"req_h{hours_ago}", house.clock.wall_ns() - hours_ago * HOUR_NS, cost_n=1 + hours_ago)
        house.post(
            Posting(exchange.request_id, exchange, (Charge(RowKey(house.all.id, house.month_s), 1 + hours_ago, 0),))
        )
    for back, cost in ((1, 1 + 2), (5, 1 + 2 + 6), (31, 1 + 2 + 6 + 31), (90, 121)):
        report = await usage.report(house.desk, ["day"], now_s - back * 3600 - 1, now_s + 1, usage.HOUR_S)
        assert report.total["cost_n"] == sum(row["cost_n"] for row in report.rows) == cost
        assert (report.since_s, report.until_s) == (
            (now_s - back * 3600 - 1) // 3600 * 3600,
            -(-(now_s + 1) // 3600) * 3600,
        )
        assert report.equal


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
