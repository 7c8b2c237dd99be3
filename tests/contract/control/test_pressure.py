"""Where money runs short, on both databases."""

from tests.contract.control.ledger_house import House

from clavero.control.budgets import nearest_limit
from clavero.control.pressure import Kept, spent_today, tightest, used
from clavero.domain.usage import Exchange
from clavero.testing.clock import StoppedClock


async def test_the_budgets_nearest_their_end_come_first(house: House) -> None:
    house.spend(400_000_000_000, on=(house.team,))
    house.spend(100_000_000_000, on=(house.all,))
    found = await nearest_limit(house.desk, 5)
    assert [(one.budget.id, used(one)) for one in found] == [(house.team.id, 0.4), (house.all.id, 0.1)]
    assert [one.budget.id for one in await nearest_limit(house.desk, 1)] == [house.team.id]


async def test_a_key_is_bound_by_the_tightest_budget_above_it(house: House) -> None:
    house.spend(400_000_000_000, on=(house.team,))
    latest = {
        "a": Exchange("req_a", 1, key_id="a", team="support"),
        "b": Exchange("req_b", 1, key_id="b", team="growth"),
    }
    found = await tightest(house.desk, latest, key=True)
    assert {name: one.budget.id for name, one in found.items()} == {"a": house.team.id, "b": house.all.id}
    assert await tightest(house.desk, {}, key=True) == {}


async def test_what_was_spent_today_is_told_by_key_and_by_service(house: House) -> None:
    house.spend(5, key_id="k1", service="mail")
    house.spend(7, key_id="k1", service="chat")
    house.spend(11, days_ago=1, key_id="k1", service="mail")
    assert (await spent_today(house.desk, "key"))["k1"] == 12
    assert await spent_today(house.desk, "service") == {"mail": 5, "chat": 7}


async def test_an_answer_that_took_long_is_kept_for_longer() -> None:
    clock, asked = StoppedClock(), 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        clock.advance(2)
        return asked

    kept: Kept[int] = Kept(clock, 10**9)
    assert await kept.get(ask) == 1
    clock.advance(39)
    assert await kept.get(ask) == 1
    clock.advance(2)
    assert await kept.get(ask) == 2
