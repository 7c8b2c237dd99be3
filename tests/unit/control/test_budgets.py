from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.adapters.storage.store import SqlReading
from clavero.control import budgets, keys, organisation
from clavero.control.budgets import NewBudget, Standing
from clavero.control.commit import Desk, perform
from clavero.control.keys import NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.budgets import Budget, BudgetState, Policy, RowKey, Subject, Window, budget_id, period_start
from clavero.domain.ledger import Answer, Ask, BootId, Place, Talk
from clavero.domain.money import LARGEST
from clavero.domain.organisation import Service
from clavero.domain.refusals import InvalidValue, NotFound, StateForbids
from clavero.testing.clock import StoppedClock

BOOT = BootId("b" * 32)
DAY = Window.DAY


class House:
    """A desk, and a worker that borrows from the same file."""

    def __init__(self, desk: Desk, folder: Path, clock: StoppedClock) -> None:
        self.desk = desk
        self.clock = clock
        self.lender = SqliteLender(folder / "clavero.db", Place("h", "k"), clock)
        self.lender.register(BOOT, "w")

    def borrow(self, budget: Budget, amount: int) -> Answer:
        key = RowKey(budget.id, period_start(budget.window, self.clock.wall_ns()))
        ask = Ask(f"r{amount}", {key: amount}, {}, {})
        return self.lender.talk(Talk(BOOT, 1, 0, {}, {}, (ask,))).verdicts[f"r{amount}"].answer

    async def limit(self, amount: int, subject: Subject = Subject.TEAM, name: str = "support") -> Budget:
        wanted = NewBudget(subject=subject, name=name, window=DAY, limit_n=amount)
        return await perform(self.desk, SYSTEM, budgets.set_budget, wanted=wanted, reason="quarter")

    async def only(self) -> Standing:
        (standing,) = await budgets.list_budgets(self.desk)
        return standing


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = StoppedClock()
    async with open_desk(tmp_path, clock) as desk:
        await perform(desk, SYSTEM, organisation.add_team, name="support")
        made = House(desk, tmp_path, clock)
        yield made
        made.lender.close()


async def test_a_budget_that_nobody_spent_from_has_all_of_it_left(house: House) -> None:
    budget = await house.limit(100)
    standing = await house.only()
    assert standing.budget == budget
    assert (standing.spent_n, standing.held_n, standing.left_n) == (0, 0, 100)
    day_ns = 86_400 * 10**9
    assert standing.starts_ns <= house.clock.wall_ns() < standing.resets_ns == standing.starts_ns + day_ns


async def test_what_is_lent_is_held(house: House) -> None:
    budget = await house.limit(100)
    assert house.borrow(budget, 30) is Answer.GRANTED
    standing = await house.only()
    assert (standing.held_n, standing.left_n) == (30, 70)


async def test_a_lowered_limit_binds_the_very_next_borrow_and_its_excess_is_counted(house: House) -> None:
    budget = await house.limit(100)
    house.borrow(budget, 60)
    lowered = await house.limit(50)
    assert lowered.created_ns == budget.created_ns
    standing = await house.only()
    assert (standing.held_n, standing.excess_n, standing.left_n) == (60, 10, 0)
    assert house.borrow(lowered, 1) is not Answer.GRANTED
    await house.limit(200)
    assert (await house.only()).excess_n == 0
    assert house.borrow(lowered, 2) is Answer.GRANTED


async def test_a_deleted_budget_lends_nothing_and_can_be_opened_again(house: House) -> None:
    budget = await house.limit(100)
    house.borrow(budget, 60)
    closed = await perform(house.desk, SYSTEM, budgets.delete_budget, budget=budget.id)
    assert closed.state is BudgetState.CLOSING
    assert await budgets.list_budgets(house.desk) == []
    assert house.borrow(budget, 1) is Answer.GONE
    await house.limit(70)
    assert (await house.only()).held_n == 60
    assert house.borrow(budget, 5) is Answer.GRANTED


async def test_a_failed_change_leaves_limit_ledger_and_audit_as_they_were(house: House) -> None:
    budget = await house.limit(100)
    house.borrow(budget, 60)
    with pytest.raises(InvalidValue):
        await house.limit(-1)
    with pytest.raises(InvalidValue):
        await house.limit(LARGEST + 1)
    assert (await house.only()).budget.limit_n == 100
    async with house.desk.store.read() as look:
        assert [row.action for row in await look.find(AuditRow)] == ["team.add", "budget.set"]


async def test_a_key_is_named_by_name_or_kid_and_kept_by_kid(house: House) -> None:
    issued = await perform(house.desk, SYSTEM, keys.create, wanted=NewKey(name="prod-chat-01", owner="asha"))
    budget = await house.limit(5, Subject.KEY, "prod-chat-01")
    assert budget.id == budget_id(Subject.KEY, issued.key.id, DAY)
    assert await house.limit(6, Subject.KEY, issued.key.id) == await _get(house, budget)
    (standing,) = await budgets.list_budgets(house.desk, subject=Subject.KEY)
    assert standing.name == "prod-chat-01"
    assert await budgets.list_budgets(house.desk, subject=Subject.KEY, name="prod-chat-01") == [standing]
    await perform(house.desk, SYSTEM, budgets.delete_budget, budget="key/prod-chat-01:day")
    assert await budgets.list_budgets(house.desk) == []


async def test_a_revoked_key_gets_no_budget(house: House) -> None:
    await perform(house.desk, SYSTEM, keys.create, wanted=NewKey(name="prod-chat-01", owner="asha"))
    await perform(house.desk, SYSTEM, keys.revoke, name="prod-chat-01")
    with pytest.raises(StateForbids):
        await house.limit(5, Subject.KEY, "prod-chat-01")


async def test_the_organisation_needs_no_name_and_each_window_is_a_budget_of_its_own(house: House) -> None:
    for window in Window:
        wanted = NewBudget(subject=Subject.ORGANISATION, window=window, limit_n=1, policy=Policy.CLAMP)
        await perform(house.desk, SYSTEM, budgets.set_budget, wanted=wanted)
    standings = await budgets.list_budgets(house.desk)
    assert {one.budget.window for one in standings} == set(Window)
    assert [one.resets_ns == 0 for one in standings if one.budget.window is Window.FOREVER] == [True]
    assert {one.name for one in standings} == {"default"}


@pytest.mark.parametrize("subject", [one for one in Subject if one is not Subject.ORGANISATION])
async def test_a_subject_that_does_not_exist_gets_none(house: House, subject: Subject) -> None:
    with pytest.raises(NotFound):
        await house.limit(5, subject, "nobody")


async def test_an_unknown_budget_comes_with_the_nearest(house: House) -> None:
    await house.limit(5)
    with pytest.raises(NotFound) as caught:
        await perform(house.desk, SYSTEM, budgets.delete_budget, budget="team/suport:day")
    assert caught.value.suggestion == "team/support:day"


async def _get(house: House, budget: Budget) -> Budget | None:
    async with house.desk.store.read() as look:
        return await look.get(Budget, budget.id)


async def test_the_budgets_that_bind_a_key_are_found_without_a_look_at_any_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await perform(house.desk, SYSTEM, organisation.add_team, name="sales")
    made = []
    for name in ("prod-mail-01", "prod-news-01"):
        wanted = NewKey(name=name, owner="asha", team="support")
        made.append((await perform(house.desk, SYSTEM, keys.create, wanted=wanted)).key)
        await house.limit(100, Subject.KEY, name)
    await house.limit(900, Subject.ORGANISATION, "")
    await house.limit(500, Subject.TEAM, "sales")
    lent = await house.limit(500, Subject.TEAM, "support")
    house.borrow(lent, 70)
    async with house.desk.store.read() as look:
        service = await look.get(Service, made[1].service)
    everyone = {one.label: one for one in await budgets.standings(house.desk)}

    async def never(*_: object, **equal: object) -> list[Budget]:
        raise AssertionError(f"every budget was read: {equal}")

    find = SqlReading.find
    monkeypatch.setattr(
        SqlReading, "find", lambda look, kind, **equal: (never if kind is Budget else find)(look, kind, **equal)
    )
    found = await budgets.standings_of(house.desk, budgets.binding(made[1], service))
    assert {one.label for one in found} == {"organisation/default", "team/support", "key/prod-news-01"}
    assert all(one == everyone[one.label] for one in found)
    for name in ("prod-news-01", made[1].id):
        (one,) = await budgets.list_budgets(house.desk, subject=Subject.KEY, name=name)
        assert one == everyone["key/prod-news-01"]
