"""RESERVE on the twins: what is held, with which cap, what forbids it, and how a hold ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.money import DOLLAR, budget

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import Budget, Policy, Subject, Window
from clavero.domain.errors import (
    BudgetBusy,
    InsufficientQuota,
    LedgerUnavailable,
    RequestOverCeiling,
    StorageFull,
    UnboundedInput,
    UnpricedModel,
)
from clavero.domain.ledger import BootId
from clavero.domain.posting import AMOUNT_MAX
from clavero.domain.pricing import Bound, Price
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases
from clavero.gateway.reserve import MIN_OUTPUT_TOKENS, Hold, Wish, reserve
from clavero.testing.journal import MemoryJournal
from clavero.testing.lender import MemoryLedger, MemoryLender
from clavero.wire import journal as frames

DEAR = Price(id="x/y", version="v", input=15 * DOLLAR, output=15 * DOLLAR, max_output=64_000)  # $15 a million
KEY = budget(Subject.KEY, limit_n=DOLLAR)
TEAM = budget(Subject.TEAM, Window.MONTH, limit_n=DOLLAR)
CLAMPED = budget(Subject.KEY, limit_n=DOLLAR, policy=Policy.CLAMP)


class Shop:
    """One worker with its bank at work."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(SystemClock())
        self.journal = MemoryJournal()
        self.lender = MemoryLender(self.ledger)
        self.bank = Bank(self.lender, self.journal, Leases(BootId("a" * 32)), SystemClock())
        self.number = 0

    async def hold(self, wish: Wish) -> Hold:
        self.ledger.add(*wish.budgets)
        self.number += 1
        return await reserve(f"r{self.number}", wish, self.bank, self.journal)

    @property
    def free(self) -> int:
        return sum(mine.free for mine in self.bank.leases.slices.values())


def wish(*budgets: Budget, asked: int | None = None, price: Price | None = DEAR, size: int = 1000) -> Wish:
    made = Wish("y", price, Bound(size), budgets)
    made.asked = asked
    made.most = price.max_output if price else 0
    return made


def row(name: str, cost_n: int) -> Exchange:
    return Exchange(name, 1, cost_n=cost_n)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    await made.bank.register("w")
    made.bank.start()
    yield made
    await made.bank.close()


async def test_eight_calls_without_a_cap_on_a_dear_model_fit_into_one_dollar(shop: Shop) -> None:
    holds = await asyncio.gather(*[shop.hold(wish(KEY)) for _ in range(8)])
    assert [hold.cap for hold in holds] == [4096] * 8
    assert sum(hold.amount for hold in holds) <= DOLLAR


async def test_where_the_usual_cap_does_not_fit_what_remains_buys_a_smaller_one(shop: Shop) -> None:
    holds = [await shop.hold(wish(KEY)) for _ in range(13)]
    last = await shop.hold(wish(budget(Subject.KEY, limit_n=DOLLAR), size=100))
    assert MIN_OUTPUT_TOKENS <= last.cap < 4096
    assert sum(hold.amount for hold in [*holds, last]) <= DOLLAR


async def test_below_the_least_useful_answer_nothing_is_held(shop: Shop) -> None:
    for _ in range(13):
        await shop.hold(wish(KEY))
    with pytest.raises(InsufficientQuota) as refused:
        await shop.hold(wish(KEY, size=400))
    facts = refused.value.facts
    assert facts["budget"] == "key/x"
    assert facts["limit_n"] == DOLLAR
    assert facts["spent_n"] == 0
    assert facts["left"] == DOLLAR - facts["held_n"]  # type: ignore[operator]  # integers both
    assert str(facts["resets_at"]).endswith("T00:00:00Z")


async def test_an_asked_cap_is_refused_or_lowered_by_the_policy_of_the_budget_that_is_short(shop: Shop) -> None:
    with pytest.raises(InsufficientQuota):
        await shop.hold(wish(TEAM, CLAMPED, asked=64_000, price=DEAR, size=60_000_000))
    clamped = await shop.hold(wish(CLAMPED, asked=64_000, size=20_000))
    assert 256 <= clamped.cap < 64_000
    assert clamped.amount <= DOLLAR
    with pytest.raises(InsufficientQuota):
        await shop.hold(wish(budget(Subject.SERVICE, limit_n=DOLLAR // 2), asked=64_000))


async def test_a_small_asked_cap_is_never_lowered(shop: Shop) -> None:
    assert (await shop.hold(wish(CLAMPED, asked=10))).cap == 10


async def test_a_cap_beyond_the_models_own_is_lowered_to_it(shop: Shop) -> None:
    assert (await shop.hold(wish(budget(Subject.KEY, limit_n=9 * DOLLAR), asked=10**6))).cap == 64_000


async def test_several_choices_are_held_each(shop: Shop) -> None:
    many = wish(KEY, asked=100)
    many.choices = 3
    one = await shop.hold(wish(KEY, asked=300))
    assert (await shop.hold(many)).amount == one.amount


async def test_without_a_price_a_budget_closes_and_without_budgets_it_goes_through(shop: Shop) -> None:
    with pytest.raises(UnpricedModel):
        await shop.hold(wish(KEY, price=None))
    assert (await shop.hold(wish(price=None))).amount == 0


async def test_what_cannot_be_bounded_is_refused_under_a_budget_alone(shop: Shop) -> None:
    unbounded, free = wish(KEY), wish()
    unbounded.unbounded = free.unbounded = ("a file",)
    with pytest.raises(UnboundedInput, match="a file"):
        await shop.hold(unbounded)
    assert (await shop.hold(free)).amount == 0


async def test_a_call_that_costs_nothing_asks_nobody(shop: Shop) -> None:
    hold = await shop.hold(wish(KEY, price=Price(id="x/y", version="v", input=0)))
    assert (hold.amount, shop.ledger.rows) == (0, {})


async def test_amounts_beyond_reason_are_refused_before_they_are_written(shop: Shop) -> None:
    rich = budget(Subject.KEY, limit_n=10 * AMOUNT_MAX)
    with pytest.raises(RequestOverCeiling):
        await shop.hold(wish(rich, price=Price(id="x/y", version="v", input=AMOUNT_MAX), size=10**9))


async def test_a_full_disk_refuses_before_anything_is_held(shop: Shop) -> None:
    shop.journal.full = True
    shop.journal.append(frames.Record(row("r", 0)))
    await asyncio.sleep(0)
    with pytest.raises(StorageFull):
        await shop.hold(wish())
    shop.journal.full = False


async def test_a_boot_that_is_given_up_refuses_under_a_budget(shop: Shop) -> None:
    shop.bank.fenced = True
    with pytest.raises(LedgerUnavailable):
        await shop.hold(wish(KEY))


async def test_a_budget_deleted_in_between_is_busy_for_a_moment(shop: Shop) -> None:
    with pytest.raises(BudgetBusy):
        await reserve("r", wish(KEY), shop.bank, shop.journal)  # the ledger knows of no such budget


async def test_a_hold_that_was_never_queued_leaves_nothing_behind(shop: Shop) -> None:
    with await shop.hold(wish(KEY)) as hold:
        free = shop.free
    assert shop.free == free + hold.amount
    assert shop.journal.frames == []


async def test_a_call_leaves_after_its_hold_and_ends_in_one_settlement(shop: Shop) -> None:
    seen: list[str] = []
    with await shop.hold(wish(KEY)) as hold:
        hold.when_written(lambda: seen.append("leaves"), lambda: seen.append("failed"), row("r1", 0))
        assert seen == []
        await asyncio.sleep(0)
        free = shop.free
        hold.settle(row("r1", 7), then=lambda: seen.append("answered"))
        hold.settle(row("r1", 8), then=lambda: seen.append("twice"))
        assert shop.free == free
    await asyncio.sleep(0)
    assert seen == ["leaves", "answered"]
    assert shop.free == free + hold.amount - 7
    held, settled = shop.journal.frames
    assert isinstance(held, frames.Hold)
    assert isinstance(settled, frames.Settle)
    assert held.id == settled.id == "r1"
    assert settled.rows == ((KEY.id, held.rows[0][1], 7, 7),)


async def test_without_budgets_hold_and_settlement_are_written_all_the_same(shop: Shop) -> None:
    with await shop.hold(wish()) as hold:
        hold.when_written(lambda: None, lambda: None, row("r1", 0))
        hold.settle(row("r1", 7))
    await asyncio.sleep(0)
    assert [type(frame) for frame in shop.journal.frames] == [frames.Hold, frames.Settle]
    assert isinstance(shop.journal.frames[1], frames.Settle)
    assert (shop.journal.frames[1].rows, shop.journal.frames[1].flag) == ((), "")


async def test_an_overrun_posts_fully_and_says_so(shop: Shop) -> None:
    with await shop.hold(wish(KEY)) as hold:
        hold.when_written(lambda: None, lambda: None, row("r1", 0))
        free = shop.free
        hold.settle(row("r1", hold.amount + free + 5), "partial")
    await asyncio.sleep(0)
    settled = shop.journal.frames[1]
    assert isinstance(settled, frames.Settle)
    assert settled.flag == "overrun"
    assert settled.rows[0][2:] == (hold.amount + free + 5, hold.amount + free)
    assert shop.free == 0


async def test_a_leg_that_ends_without_a_settlement_counts_in_full(shop: Shop) -> None:
    with pytest.raises(RuntimeError), await shop.hold(wish(KEY)) as hold:  # noqa: PT012 - leaving is what is tried
        hold.when_written(lambda: None, lambda: None, row("r1", 0))
        raise RuntimeError
    await asyncio.sleep(0)
    settled = shop.journal.frames[1]
    assert isinstance(settled, frames.Settle)
    assert (settled.flag, settled.exchange.cost_n, settled.exchange.estimated) == ("estimated", hold.amount, True)


async def test_a_hold_that_cannot_be_written_lets_no_call_leave_and_is_settled_with_nothing(shop: Shop) -> None:
    seen: list[str] = []
    with await shop.hold(wish(KEY)) as hold:
        free = shop.free
        shop.journal.full = True
        hold.when_written(lambda: seen.append("leaves"), lambda: seen.append("failed"), row("r1", 0))
        await asyncio.sleep(0)
        assert (seen, hold.left) == (["failed"], True)
        hold.settle(row("r1", 0), then=lambda: seen.append("answered"))
    await asyncio.sleep(0)
    assert seen == ["failed", "answered"]  # the answer does not wait for the disk,
    assert shop.free == free  # the money does
    shop.journal.full = False
    shop.journal.flush()
    assert shop.free == free + hold.amount
    assert seen == ["failed", "answered"]


@given(st.integers(0, 10**11), st.integers(1, 10**11), st.integers(0, 10**5), st.integers(0, 10**13), st.integers(1, 8))
def test_the_cap_that_money_buys_costs_no_more_than_that_money(
    rate_in: int, rate_out: int, size: int, money: int, choices: int
) -> None:
    made = Wish("y", Price(id="x/y", version="v", input=rate_in, output=rate_out), Bound(size), (KEY,))
    made.choices = choices
    cap = made.cap_for(money)
    if cap >= 0:
        assert made.cost(cap) <= money
        assert made.cost(cap + 1) >= money  # the input is rounded up by itself: less than one nano-dollar is lost
    else:
        assert made.cost(0) > money


@given(st.none() | st.integers(1, 10**6), st.integers(0, 10**5), st.integers(1, 10**5), st.sampled_from(Policy))
def test_the_cap_lies_between_its_bounds(asked: int | None, most: int, usual: int, policy: Policy) -> None:
    made = Wish("y", DEAR, Bound(1), (KEY,))
    made.asked, made.most, made.usual = asked, most, usual
    assert made.least(policy) <= made.cap <= (asked or usual)
    assert not most or made.cap <= most
    if asked is not None and policy is Policy.REJECT:
        assert made.least(policy) == made.cap
    made.output = False
    assert made.cap == 0
