import pytest
from tests.e2e.entrypoints.http.console.house import HOUR
from tests.flow.entrypoints.http.console.visitor import Visitor

from clavero.control.requests import Wanted
from clavero.domain.refusals import NotFound
from clavero.entrypoints.http.console import reads


async def test_steps_hold_every_exchange_once(visitor: Visitor) -> None:
    desk = visitor.house.desk
    since = desk.clock.wall_ns() - 24 * HOUR
    steps = await reads.steps(desk, since, HOUR)
    found = await reads.latest(desk, Wanted(), 500)
    assert sum(one.calls for one in steps) == len(found) == 60
    assert sum(one.cost_n for one in steps) == sum(one.cost_n for one in found)
    assert sum(one.failed for one in steps) == sum(one.status >= 500 for one in found) == 1
    assert sum(one.refused for one in steps) == 1
    assert len(steps) in {24, 25}


async def test_the_speed_is_that_of_the_answered_calls(visitor: Visitor) -> None:
    desk = visitor.house.desk
    answered = sorted(one.total_us for one in await reads.latest(desk, Wanted(), 500) if not one.code)
    speed = await reads.speed(desk, 0)
    assert speed.total_us == answered[-(-len(answered) * 95 // 100) - 1]
    assert 0 < speed.ours_us < speed.total_us
    assert (await reads.speed(desk, desk.clock.wall_ns() + 1)).total_us == 0


async def test_sums_by_key_and_by_code_agree_with_the_rows(visitor: Visitor) -> None:
    desk = visitor.house.desk
    by_key = await reads.by_key(desk, 2)
    assert sum(one.calls for one in by_key.values()) == 60
    assert await reads.codes(desk, 0) == {"insufficient_quota": 1, "upstream_error": 1}
    assert set(await reads.last_calls(desk)) == set(by_key)
    assert "gpt-4o" in await reads.models(desk, 2)
    assert await reads.rejects(desk) == 0


async def test_a_trace_has_its_attempts_and_its_charges(visitor: Visitor) -> None:
    desk = visitor.house.desk
    key = visitor.made["prod-growth-outreach-01"]
    (one, *_) = await reads.latest(desk, Wanted(key=key.id), 1)
    (leg,) = await reads.trace(desk, one.request_id)
    assert leg.exchange == one
    assert leg.exchange.attempts[0].provider
    assert {charge for _, _, charge in leg.amounts} == {one.cost_n}
    with pytest.raises(NotFound):
        await reads.trace(desk, "req_nothing")


async def test_changes_of_a_key_are_its_own_newest_first(visitor: Visitor) -> None:
    key = visitor.made["prod-support-summary-01"]
    rows = await reads.changes(visitor.house.desk, key.id, 2)
    assert [row.action for row in rows] == ["key.rotate", "key.rotate"]
