"""The bank on the ledger's twin: one talk at a time, whoever waits is woken, and nobody's money gets lost on the way."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import pytest
from tests.unit.gateway.money import budget

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import Subject, Window
from clavero.domain.errors import BudgetBusy, LedgerUnavailable
from clavero.domain.ledger import BootId, Life, Talk, Terms
from clavero.gateway import bank as module
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases, Purse, Refused
from clavero.ports.clock import Clock
from clavero.testing.clock import StoppedClock
from clavero.testing.journal import MemoryJournal
from clavero.testing.lender import MemoryLedger, MemoryLender

KEY, TEAM = budget(Subject.KEY), budget(Subject.TEAM, Window.MONTH)


class GatedLender(MemoryLender):
    """The twin, whose talks are counted and can be kept waiting."""

    def __init__(self, ledger: MemoryLedger) -> None:
        super().__init__(ledger)
        self.open = threading.Event()
        self.open.set()
        self.talks: list[Talk] = []
        self.breaks = False

    def talk(self, talk: Talk) -> Terms:
        self.talks.append(talk)
        self.open.wait(5)
        if self.breaks:
            self.breaks = False
            raise ValueError("nobody thought of this")
        return super().talk(talk)


class Branch:
    """One worker's bank and what it is made of."""

    def __init__(self, ledger: MemoryLedger, name: str = "a", clock: Clock | None = None) -> None:
        self.ledger = ledger
        self.lender = GatedLender(ledger)
        self.leases = Leases(BootId(name * 32))
        self.bank = Bank(self.lender, MemoryJournal(), self.leases, clock or SystemClock())

    async def get(self, name: str, amount: int, budgets: tuple[object, ...] = (KEY,)) -> Purse | Refused:
        purse = self.bank.open(budgets)  # type: ignore[arg-type]  # a tuple of budgets
        return purse if self.bank.take(purse, amount) else await self.bank.wait(name, purse, amount)

    @property
    def leased(self) -> list[int]:
        return [row.leased for row in self.ledger.rows.values()]


@pytest.fixture
def ledger() -> MemoryLedger:
    made = MemoryLedger(SystemClock())
    made.add(KEY, TEAM)
    return made


@contextlib.asynccontextmanager
async def at_work(*branches: Branch) -> AsyncIterator[None]:
    for branch in branches:
        await branch.bank.register("w")
        branch.bank.start()
    try:
        yield
    finally:
        for branch in branches:
            branch.lender.open.set()
            await branch.bank.close()


async def test_all_who_wait_share_a_talk(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        await branch.get("first", 1)
        branch.lender.open.clear()
        before = len(branch.lender.talks)
        waiting = [asyncio.ensure_future(branch.get(f"r{number}", 15)) for number in range(50)]
        await asyncio.sleep(0.02)
        branch.lender.open.set()
        assert all(isinstance(had, Purse) for had in await asyncio.gather(*waiting))
        assert len(branch.lender.talks) - before <= 4


async def test_money_at_hand_costs_no_talk(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        await branch.get("r1", 10)
        await asyncio.sleep(0.01)
        before = len(branch.lender.talks)
        assert isinstance(await branch.get("r2", 10), Purse)
        assert len(branch.lender.talks) == before


async def test_what_is_not_there_is_refused_with_proof(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        refused = await branch.get("r1", 1001)
        assert isinstance(refused, Refused)
        assert refused.left == 1000


async def test_a_holder_who_says_nothing_makes_it_busy_not_refused(
    ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_NS", 50_000_000)
    silent, branch = Branch(ledger, "a"), Branch(ledger, "b")
    async with at_work(silent, branch):
        await silent.get("r1", 10)
        await asyncio.sleep(0.01)
        silent.lender.open.clear()
        with pytest.raises(BudgetBusy, match=KEY.id):
            await branch.get("r2", 995)
        silent.lender.open.set()


async def test_another_worker_gives_back_what_is_wanted_in_time(ledger: MemoryLedger) -> None:
    idle, branch = Branch(ledger, "a"), Branch(ledger, "b")
    async with at_work(idle, branch):
        purse = await idle.get("r1", 10)
        assert isinstance(purse, Purse)
        idle.leases.give_back(purse, 10)
        assert isinstance(await branch.get("r2", 995), Purse)


async def test_without_the_database_slices_serve_and_the_rest_is_unavailable(
    ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_NS", 50_000_000)
    branch = Branch(ledger)
    async with at_work(branch):
        await branch.get("r1", 10)
        await asyncio.sleep(0.01)
        branch.lender.away = True
        assert isinstance(await branch.get("r2", 10), Purse)
        with pytest.raises(LedgerUnavailable):
            await branch.get("r3", 900)
        branch.lender.away = False
        assert isinstance(await branch.get("r4", 100), Purse)


async def test_a_wait_outlasts_a_database_that_is_away_for_a_moment(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        branch.lender.away = True
        waiting = asyncio.ensure_future(branch.get("r1", 10))
        await asyncio.sleep(0.05)
        branch.lender.away = False
        assert isinstance(await waiting, Purse)


async def test_a_caller_who_leaves_while_it_waits_keeps_nothing(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        await asyncio.sleep(0.01)
        branch.lender.open.clear()
        waiting = asyncio.ensure_future(branch.get("r1", 10))
        await asyncio.sleep(0.02)
        assert [ask.request_id for ask in branch.lender.talks[-1].asks] == ["r1"]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        branch.lender.open.set()
    assert branch.leased == [0]
    assert ledger.wants == []


async def test_a_caller_who_leaves_in_the_moment_of_the_grant_keeps_nothing(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        waiting = asyncio.ensure_future(branch.get("r1", 10))
        await asyncio.sleep(0)
        heard = branch.leases.hear

        def hear(terms: Terms) -> list[object]:
            done = heard(terms)
            waiting.cancel()
            return list(done)

        branch.leases.hear = hear  # type: ignore[method-assign, assignment]  # cancelled between grant and wake
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert branch.leased == [0]


async def test_a_boot_that_is_given_up_holds_no_more(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        await branch.get("r1", 10)
        ledger.boots[branch.leases.boot].life = Life.LOST
        with pytest.raises(LedgerUnavailable):
            await branch.get("r2", 500)
        assert branch.bank.fenced
        with pytest.raises(LedgerUnavailable):
            branch.bank.open((KEY,))


async def test_without_a_good_talk_for_too_long_nothing_is_held(ledger: MemoryLedger) -> None:
    clock = StoppedClock()
    branch = Branch(ledger, clock=clock)
    await branch.bank.register("w")
    branch.bank.open((KEY,))
    clock.advance(module.STALE_SECONDS + 1)
    with pytest.raises(LedgerUnavailable):
        branch.bank.open((KEY,))
    await branch.bank.close()


async def test_the_ledger_clock_follows_the_database_and_never_goes_back(ledger: MemoryLedger) -> None:
    ledger.clock = clock = StoppedClock()
    branch = Branch(ledger, clock=clock)
    async with at_work(branch):
        await branch.get("r1", 1)
        later = branch.bank.now_ns()
        clock.set_wall(clock.wall_ns() - 3600 * 10**9)
        await branch.get("r2", 500)
        assert branch.bank.now_ns() == later
        clock.set_wall(clock.wall_ns() + 7200 * 10**9)
        await branch.get("r3", 400)
        assert branch.bank.now_ns() > later


async def test_a_failure_that_nobody_thought_of_is_reported_and_the_talks_go_on(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["message"]))
    async with at_work(branch):
        branch.lender.breaks = True
        assert isinstance(await branch.get("r1", 10), Purse)
    assert told == ["a money talk failed"]


async def test_an_orderly_stop_gives_every_free_slice_back(ledger: MemoryLedger) -> None:
    branch = Branch(ledger)
    async with at_work(branch):
        purse = await branch.get("r1", 10, (KEY, TEAM))
        assert isinstance(purse, Purse)
        branch.leases.give_back(purse, 10)
    assert branch.leased == [0, 0]
