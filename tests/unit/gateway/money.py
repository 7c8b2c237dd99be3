"""Budgets and a till for tests of the worker's money: the real leases on the ledger's twin, without a loop."""

from clavero.domain.budgets import Budget, Policy, Subject, Window, budget_id
from clavero.domain.ledger import BootId
from clavero.gateway.leases import Leases, Waiter
from clavero.testing.clock import StoppedClock
from clavero.testing.lender import MemoryLedger, MemoryLender

DOLLAR = 1_000_000_000


def budget(
    subject: Subject, window: Window = Window.DAY, limit_n: int = 1000, policy: Policy = Policy.REJECT, name: str = "x"
) -> Budget:
    """A budget on x."""
    return Budget(
        id=budget_id(subject, name, window), subject=subject, name=name, window=window, limit_n=limit_n, policy=policy
    )


class Till:
    """One worker's leases and its lender, talked through by hand."""

    def __init__(self, ledger: MemoryLedger, name: str = "a") -> None:
        self.ledger = ledger
        self.lender = MemoryLender(ledger)
        self.leases = Leases(BootId(name * 32))
        self.leases.incarnation = self.lender.register(self.leases.boot, "w")

    @property
    def now(self) -> int:
        """The ledger clock."""
        return self.ledger.clock.wall_ns()

    def talk(self, *, last: bool = False) -> list[Waiter]:
        """One whole talk."""
        return self.leases.hear(self.lender.talk(self.leases.talk(0, self.now, last=last)))

    def get(self, budgets: tuple[Budget, ...], amount: int) -> Waiter:
        """Wait for money and talk once."""
        waiter = Waiter(f"r{id(object())}", self.leases.purse(budgets, self.now), amount)
        self.leases.wait(waiter)
        self.talk()
        return waiter


def ledger(*budgets: Budget) -> tuple[MemoryLedger, StoppedClock]:
    """A ledger that knows these budgets, and its clock."""
    clock = StoppedClock()
    made = MemoryLedger(clock)
    made.add(*budgets)
    return made, clock
