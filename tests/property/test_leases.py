"""The worker's money, driven by Hypothesis: real leases, holds and journal files on both ledgers.

Whatever is lost, late or killed: memory never holds more than the database keeps for it, nothing passes a limit, what
is posted is what was spent, and at rest nothing is leased though everybody lives.
"""

import shutil

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.property.lease_world import ALL, BUDGETS, KEY, TEAM, Parts, Worker, World
from tests.property.places import directory, progress, server, template

from clavero.adapters.storage import journal as journal_module
from clavero.domain.budgets import Budget
from clavero.testing.clock import StoppedClock
from clavero.testing.grounds import SqliteGround
from clavero.testing.ledgers import Ledger, MemoryTestLedger

workers = st.integers(0, 2)
fates = st.sampled_from(["well", "well", "well", "away", "lost"])
amounts = st.sampled_from([1, 2, 3, 5, 8, 13])


class LeaseMachine(RuleBasedStateMachine):
    """Steps in any order that a hostile scheduler could take."""

    def stand(self) -> tuple[Ledger, StoppedClock]:
        clock = StoppedClock()
        return MemoryTestLedger(clock), clock

    @initialize(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        self.root = directory("leases")
        self.world = World(self.root, *self.stand(), Parts())
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

    @rule(index=workers, budgets=st.sampled_from(BUDGETS), amount=amounts)
    def ask(self, index: int, budgets: tuple[Budget, ...], amount: int) -> None:
        if worker := self.alive(index):
            self.world.ask(worker, budgets, amount)

    @rule(
        index=workers,
        budgets=st.sampled_from(BUDGETS),
        amount=amounts,
        charge=st.integers(0, 16),
        most=st.integers(1, 9),
    )
    def exchange(self, index: int, budgets: tuple[Budget, ...], amount: int, charge: int, most: int) -> None:
        worker = self.alive(index)
        name = self.world.ask(worker, budgets, amount) if worker else None
        if worker and name:
            self.world.talk(worker)
            worker.journal.tick()
            if name in self.world.calls and self.world.calls[name].charge is None:
                self.world.settle(name, charge)
                worker.journal.tick()
                self.world.read(most)

    @rule(index=workers, pick=st.integers(0, 9))
    def leave(self, index: int, pick: int) -> None:
        if (worker := self.alive(index)) and worker.waiters:
            self.world.leave(worker, sorted(worker.waiters)[pick % len(worker.waiters)])

    @rule(pick=st.integers(0, 9), charge=st.integers(0, 16))
    def settle(self, pick: int, charge: int) -> None:
        open_calls = [
            name for name, call in self.world.calls.items() if call.charge is None and call.worker.alive and call.left
        ]
        if open_calls:
            self.world.settle(open_calls[pick % len(open_calls)], charge)

    @rule(index=workers, fails=st.sampled_from([False, False, False, True]))
    def tick(self, index: int, fails: bool) -> None:
        if worker := self.alive(index):
            worker.journal.fails = fails
            worker.journal.tick()

    @rule(index=workers, fate=fates)
    def talk(self, index: int, fate: str) -> None:
        if worker := self.alive(index):
            self.world.talk(worker, fate)

    @rule(index=workers)
    def begin_talk(self, index: int) -> None:
        if worker := self.alive(index):
            self.world.begin(worker)

    @rule(index=workers, fate=fates)
    def carry_talk(self, index: int, fate: str) -> None:
        if worker := self.alive(index):
            self.world.carry(worker, fate)

    @rule(index=workers)
    def hear_talk(self, index: int) -> None:
        if worker := self.alive(index):
            self.world.hear(worker)

    @rule(most=st.integers(1, 9))
    def read(self, most: int) -> None:
        self.world.read(most)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.1, 1.1, 3.0, 50_000.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(budget=st.sampled_from([KEY, TEAM, ALL]), limit=st.sampled_from([0, 5, 20, 40, 60]))
    def limit(self, budget: Budget, limit: int) -> None:
        if limit != self.world.limits[budget.id]:
            self.world.limit(budget.id, limit)

    @rule(index=workers, torn=st.sampled_from([b"", b"\x50\0\0\0half a block"]))
    def kill(self, index: int, torn: bytes) -> None:
        if len(self.world.workers) < 6 and (worker := self.alive(index)):
            self.world.kill(worker, torn)
            self.world.start()

    @invariant()
    def everything_adds_up(self) -> None:
        if hasattr(self, "world"):
            self.world.check()


class FileMachine(LeaseMachine):
    """The same on a real SQLite file."""

    def stand(self) -> tuple[Ledger, StoppedClock]:
        ground = SqliteGround(self.root, template())
        return ground.ledger, ground.clock


class ServerMachine(LeaseMachine):
    """The same on PostgreSQL."""

    def stand(self) -> tuple[Ledger, StoppedClock]:
        ground = server().again()
        return ground.ledger, ground.clock


COMMON = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], print_blob=True
)


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT", 8192)


def test_the_worker_never_holds_more_than_it_was_lent() -> None:
    run_state_machine_as_test(LeaseMachine, settings=settings(COMMON, max_examples=40, stateful_step_count=50))


@pytest.mark.parametrize(("machine", "histories"), [(FileMachine, 8), (ServerMachine, 8)])
def test_nor_does_it_on_a_database(machine: type[LeaseMachine], histories: int) -> None:
    run_state_machine_as_test(machine, settings=settings(COMMON, max_examples=histories, stateful_step_count=40))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("machine", [LeaseMachine, FileMachine, ServerMachine])
def test_nor_does_it_all_night(machine: type[LeaseMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(COMMON, max_examples=1000, stateful_step_count=40))
