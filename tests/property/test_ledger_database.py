"""The real lender, books, ingest and reclaimer on a real SQLite file, driven by Hypothesis.

After every step: leased is the sum of the shares, posted the sum of the usage, nothing beyond limit plus excess, what
was really spent within the highest limit, and no worker can spend more than the database keeps for it. At the end
everybody dies: nothing is leased, nothing is lost, and what is posted is what was spent.
"""

import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.property.places import directory, progress, server, template

from clavero.domain.budgets import BudgetId, RowKey
from clavero.testing.grounds import Ground, SqliteGround
from clavero.testing.ledger_world import KEY, ROWS, TEAM, WELL, Fate, Worker, World

fates = st.sampled_from([WELL] * 5 + [Fate(answer_lost=True)] + [Fate(drops_at=n) for n in range(1, 10)])
amounts = st.sampled_from([1, 2, 3, 5, 8, 13])
needs = st.dictionaries(st.sampled_from(ROWS), amounts, min_size=1)
workers = st.integers(0, 2)
DISASTERS = [
    "segment",
    "segment",
    "kill",
    "kill",
    "torn",
    "seal",
    "silence",
    "delete",
    "lost segment",
    "lost directory",
]


class LedgerMachine(RuleBasedStateMachine):
    """Steps in any order that a hostile world could take."""

    def ground(self) -> Ground:
        return SqliteGround(self.root, template())

    @initialize(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        self.root = directory("world")
        self.world = World(self.root, ground=self.ground())
        for _ in range(count):
            self.world.start()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.rest()
        finally:
            self.world.close()
            shutil.rmtree(self.root)
            progress(type(self).__name__)

    def alive(self, index: int) -> Worker | None:
        living = [worker for worker in self.world.workers if worker.alive]
        return living[index % len(living)] if living else None

    def exchange(self, index: int, need: dict[RowKey, int], charge: int | None, fate: Fate = WELL) -> None:
        if worker := self.alive(index):
            self.world.borrow(worker, need, fate)
            name = self.world.hold(worker, need)
            if name and charge is not None:
                self.world.settle(worker, name, charge)

    @rule(index=workers, need=needs, charge=st.integers(0, 16))
    def exchange_that_ends(self, index: int, need: dict[RowKey, int], charge: int) -> None:
        self.exchange(index, need, charge)

    @rule(index=workers, need=needs)
    def exchange_that_stays_open(self, index: int, need: dict[RowKey, int]) -> None:
        self.exchange(index, need, None)

    @rule(index=workers, need=needs, fate=fates)
    def borrow(self, index: int, need: dict[RowKey, int], fate: Fate) -> None:
        self.exchange(index, need, None, fate)

    @rule(index=workers, amount=amounts)
    def hold_what_is_free(self, index: int, amount: int) -> None:
        if worker := self.alive(index):
            need = {key: min(amount, worker.free[key]) for key in ROWS if worker.free[key]}
            if need:
                self.world.hold(worker, need)

    @rule(index=workers, pick=st.integers(0, 9), charge=st.integers(0, 16))
    def settle(self, index: int, pick: int, charge: int) -> None:
        if (worker := self.alive(index)) and worker.holds:
            self.world.settle(worker, sorted(worker.holds)[pick % len(worker.holds)], charge)

    @rule(index=workers, fate=fates)
    def give_back(self, index: int, fate: Fate) -> None:
        if worker := self.alive(index):
            self.world.give_back(worker, fate)

    @rule(most=st.integers(1, 6), fate=fates)
    def read(self, most: int, fate: Fate) -> None:
        self.world.read(fate, most)

    @rule()
    def read_late(self) -> None:
        self.world.read_late()

    @rule(fate=fates)
    def sweep(self, fate: Fate) -> None:
        self.world.sweep(fate)

    @rule(budget=st.sampled_from([KEY, TEAM]), limit=st.sampled_from([0, 5, 20, 40, 60]))
    def limit(self, budget: BudgetId, limit: int) -> None:
        if limit != self.world.limits[budget]:
            self.world.limit(budget, limit)

    @precondition(lambda self: len(self.world.workers) < 9)
    @rule()
    def start(self) -> None:
        if sum(worker.alive for worker in self.world.workers) < 3:
            self.world.start()

    @rule(index=workers, kind=st.sampled_from(DISASTERS))
    def disaster(self, index: int, kind: str) -> None:
        world, worker = self.world, self.alive(index)
        if kind == "silence":
            world.be_silent()
        elif kind == "delete":
            world.delete(KEY)
        elif worker:
            steps: dict[str, Callable[[], None]] = {
                "segment": worker.journal.next_segment,
                "kill": lambda: world.kill(worker),
                "torn": lambda: world.kill(worker, torn=True),
                "seal": lambda: world.seal(worker),
                "lost segment": lambda: world.lose_segment(worker),
                "lost directory": lambda: world.lose_directory(worker),
            }
            steps[kind]()

    @invariant()
    def everything_adds_up(self) -> None:
        if hasattr(self, "world"):
            self.world.check()


class ServerMachine(LedgerMachine):
    """The same on PostgreSQL."""

    def ground(self) -> Ground:
        return server().again()


COMMON = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], print_blob=True
)


@pytest.mark.requirement(53)
@pytest.mark.parametrize(("machine", "histories"), [(LedgerMachine, 25), (ServerMachine, 10)])
def test_money_adds_up_whatever_happens(machine: type[LedgerMachine], histories: int) -> None:
    run_state_machine_as_test(machine, settings=settings(COMMON, max_examples=histories, stateful_step_count=40))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("machine", [LedgerMachine, ServerMachine])
def test_money_adds_up_whatever_happens_all_night(machine: type[LedgerMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(COMMON, max_examples=1000, stateful_step_count=30))
