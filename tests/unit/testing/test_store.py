"""The twin of the store: what its contract suite (with the databases) does not say."""

import os

import pytest

from clavero.control import budgets
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.control.unseal import Tools, open_desk
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow, first_bad
from clavero.domain.budgets import RowKey, Subject, Window, period_start
from clavero.domain.ledger import Answer, Ask, BootId, Talk
from clavero.domain.organisation import Team
from clavero.domain.refusals import StorageUnavailable
from clavero.testing.clock import LoadedDice, StoppedClock
from clavero.testing.lender import MemoryLedger, MemoryLender
from clavero.testing.store import MemoryStore
from clavero.testing.unsealer import MemoryUnsealer

BOOT = BootId("b" * 32)


class House:
    """A desk over a store in memory, and a worker on the same ledger."""

    def __init__(self, desk: Desk, ledger: MemoryLedger, clock: StoppedClock) -> None:
        self.desk, self.clock = desk, clock
        self.lender = MemoryLender(ledger)
        self.lender.register(BOOT, "w")

    async def limit(self, amount: int) -> RowKey:
        wanted = NewBudget(subject=Subject.ORGANISATION, window=Window.DAY, limit_n=amount)
        budget = await perform(self.desk, SYSTEM, budgets.set_budget, wanted=wanted)
        return RowKey(budget.id, period_start(Window.DAY, self.clock.wall_ns()))

    def borrow(self, key: RowKey, amount: int) -> Answer:
        name = f"r{amount}"
        return self.lender.talk(Talk(BOOT, 1, 0, {}, {}, (Ask(name, {key: amount}, {}, {}),))).verdicts[name].answer


@pytest.fixture
async def house() -> House:
    clock = StoppedClock()
    ledger = MemoryLedger(clock)
    desk = await open_desk(Tools(MemoryStore(ledger), clock, LoadedDice()), MemoryUnsealer(os.urandom))
    return House(desk, ledger, clock)


async def test_a_desk_works_on_it_and_its_chain_is_whole(house: House) -> None:
    await house.limit(5)
    async with house.desk.store.read() as look:
        rows = await look.find(AuditRow)
        assert [row["seq"] for row in await look.rows("audit_since", after=1, most=9)] == [2]
        assert [row["seq"] for row in await look.rows("audit_newest", most=1)] == [2]
    assert [row.action for row in rows] == ["vault.create", "budget.set"]
    assert first_bad(rows) is None


async def test_a_limit_reaches_the_ledger_of_the_twin(house: House) -> None:
    key = await house.limit(10)
    assert house.borrow(key, 6) is Answer.GRANTED
    (standing,) = await budgets.list_budgets(house.desk)
    assert (standing.held_n, standing.left_n) == (6, 4)
    await house.limit(4)
    (standing,) = await budgets.list_budgets(house.desk)
    assert (standing.excess_n, standing.left_n) == (2, 0)
    await perform(house.desk, SYSTEM, budgets.delete_budget, budget=key.budget)
    assert await budgets.list_budgets(house.desk) == []
    assert house.borrow(key, 1) is Answer.GONE


async def test_an_effect_on_the_ledger_comes_with_the_commit_or_not_at_all(house: House) -> None:
    key = await house.limit(10)

    async def fail() -> None:
        async with house.desk.store.write() as writing:
            await writing.run("apply_limit", budget=key.budget, limit=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert house.borrow(key, 6) is Answer.GRANTED


async def test_it_can_be_away_at_the_beginning_and_at_the_commit() -> None:
    store = MemoryStore()

    async def lose() -> None:
        async with store.write() as writing:
            await writing.put(Team(name="x"))
            store.away = True

    with pytest.raises(StorageUnavailable):
        await lose()
    with pytest.raises(StorageUnavailable):
        async with store.read():
            pass
    store.away = False
    async with store.read() as look:
        assert await look.find(Team) == []


async def test_a_question_about_usage_is_not_answered() -> None:
    async with MemoryStore().read() as look:
        with pytest.raises(KeyError):
            await look.rows("usage_total", since=0, until=1)
