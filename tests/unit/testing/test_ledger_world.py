"""The world notices what is wrong: a checker that cannot fail would prove nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from clavero.domain.ledger import Answer
from clavero.testing.ledger_world import KEY, ROWS, Fate, World

DAY, _, MONTH = ROWS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.start()
    yield made
    made.close()


def spend(world: World, charge: int | None) -> None:
    worker = world.workers[0]
    assert world.borrow(worker, {DAY: 10}) is Answer.GRANTED
    name = world.hold(worker, {DAY: 10})
    assert name
    if charge is not None:
        world.settle(worker, name, charge)


def test_an_honest_world_is_in_order_and_comes_to_rest(world: World) -> None:
    spend(world, 7)
    spend(world, None)
    world.check()
    world.rest()
    assert world.ledger.row(DAY).posted == 17


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ("UPDATE ledger SET leased = leased + 1", "leased"),
        ("UPDATE ledger SET posted = posted + 1", "posted"),
        ("UPDATE lease SET granted = granted - 5", "leased"),
        ("UPDATE lease SET granted = granted - 5; UPDATE ledger SET leased = leased - 5", "memory"),
        ("UPDATE ledger SET excess = 1", "excess"),
        ("INSERT INTO journal_rejects VALUES (1, 'b', 0, 0, 0, 'poison', x'00')", "poison"),
    ],
)
def test_what_does_not_add_up_is_noticed(world: World, change: str, noticed: str) -> None:
    spend(world, None)
    with world.ledger.engine.begin() as connection:
        for statement in change.split(";"):
            connection.execute(text(statement))
    with pytest.raises(AssertionError, match=noticed):
        world.check()


def test_spending_beyond_the_limit_is_noticed(world: World) -> None:
    spend(world, None)
    world.highest[KEY] = 9
    with pytest.raises(AssertionError, match="overspent"):
        world.check()


def test_a_dropped_connection_and_a_lost_answer_are_what_they_say(world: World) -> None:
    worker = world.workers[0]
    assert world.borrow(worker, {DAY: 10}, Fate(drops_at=3)) is None
    assert world.ledger.leases() == {}
    assert world.borrow(worker, {DAY: 10}, Fate(answer_lost=True)) is Answer.WAIT
    assert world.ledger.row(DAY).leased == worker.free[DAY] > 0
    world.check()
