"""The ledger in memory: what both databases do, without one. Several lenders on one `MemoryLedger` are several workers.

It decides by the same rules (`domain.lending`) and passes the same contract suite. `away` and `lose_answer` make the
two failures that a worker must survive: nothing happened, and something happened but nobody said so.
"""

import threading
from collections.abc import Iterable

from msgspec import Struct, field

from clavero.domain.budgets import Budget, BudgetId, BudgetState, RowKey
from clavero.domain.ledger import BootId, Fenced, Lease, Life, Place, Position, Row, RowLife, Talk, Terms, Want
from clavero.domain.lending import Counter, highest_wants, hold_talk, is_young, leases_by_row, row_state, settle_excess
from clavero.ports.clock import Clock


class MemoryBoot(Struct):
    """One start of one worker, as the ledger knows it."""

    worker: str
    place: Place
    heartbeat: int
    incarnation: int = 1
    life: Life = Life.LIVE
    at: Position = Position(0, 0)
    tail: int = 0
    consumed: int = 0
    sealed: bool = False


class MemoryLedger(Struct):
    """All that the ledger's tables hold. Change it through a lender, or by these methods as the control plane does."""

    clock: Clock
    budgets: dict[BudgetId, Budget] = field(default_factory=dict)
    rows: dict[RowKey, Row] = field(default_factory=dict)
    boots: dict[BootId, MemoryBoot] = field(default_factory=dict)
    leases: dict[tuple[BootId, RowKey], Lease] = field(default_factory=dict)
    wants: list[Want] = field(default_factory=list)
    numbers: int = 0
    incarnation: int = 1
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *budgets: Budget) -> None:
        """Make budgets known; their rows come with the first ask."""
        with self.lock:
            self.budgets.update({budget.id: budget for budget in budgets})

    def apply_limit(self, budget: BudgetId, limit_n: int) -> None:
        """Change the limit of a budget and of its open rows (L30)."""
        with self.lock:
            old = self.budgets[budget]
            self.budgets[budget] = Budget(
                id=budget, subject=old.subject, name=old.name, window=old.window, limit_n=limit_n, policy=old.policy
            )
            for row in self._rows_of(budget):
                if row.life is not RowLife.ARCHIVED:
                    row.limit, row.life = limit_n, RowLife.OPEN
                    settle_excess(row)

    def delete(self, budget: BudgetId) -> None:
        """Delete a budget: its rows close and stay until nothing is out (L30)."""
        with self.lock:
            self.budgets.pop(budget)
            for row in self._rows_of(budget):
                row.life = RowLife.CLOSING

    def open_rows(self, keys: Iterable[RowKey]) -> None:
        """Make the rows that an ask names, where their budget is open."""
        for key in keys:
            budget = self.budgets.get(key.budget)
            if key not in self.rows and budget and budget.state is BudgetState.OPEN:
                self.rows[key] = Row(limit=budget.limit_n)

    def _rows_of(self, budget: BudgetId) -> list[Row]:
        return [row for key, row in self.rows.items() if key.budget == budget]


class MemoryLender:
    """The `Lender` of one worker on a ledger in memory."""

    def __init__(self, ledger: MemoryLedger, place: Place | None = None) -> None:
        self.ledger = ledger
        self.place = place or Place("home", "kernel")
        self.away = False  # the next calls find no database
        self.lose_answer = False  # the next call commits and then fails

    def register(self, boot: BootId, worker: str) -> int:
        """Make the boot known before its first borrow (L1)."""
        self._reach()
        with self.ledger.lock:
            new = MemoryBoot(worker, self.place, self.ledger.clock.wall_ns(), self.ledger.incarnation)
            known = self.ledger.boots.setdefault(boot, new)
            if known.life is not Life.LIVE:
                raise Fenced(boot)
        self._answer()
        return known.incarnation

    def talk(self, talk: Talk) -> Terms:
        """One transaction of returns, acknowledgements and asks."""
        self._reach()
        with self.ledger.lock:
            terms = self._talk(talk)
        self._answer()
        return terms

    def close(self) -> None:
        """Nothing to let go of."""

    def _talk(self, talk: Talk) -> Terms:
        ledger, now = self.ledger, self.ledger.clock.wall_ns()
        boot = ledger.boots.get(talk.boot)
        if boot is None or boot.life is not Life.LIVE or boot.incarnation != talk.incarnation:
            raise Fenced(talk.boot)
        boot.heartbeat, boot.tail = now, max(boot.tail, talk.tail)
        ledger.open_rows(key for ask in talk.asks for key in ask.need)
        ledger.wants = [want for want in ledger.wants if is_young(want, now)]
        counter = self._counter(talk)
        hold_talk(counter, talk)
        for key, leases in counter.leases.items():
            ledger.leases.update({(owner, key): lease for owner, lease in leases.items() if lease != Lease()})
        for key in talk.forgotten:
            lease = ledger.leases.get((talk.boot, key))
            if lease and not lease.share and not lease.lost:
                ledger.leases.pop((talk.boot, key))
        self._change_wants(counter, now)
        wants, oldest = highest_wants(ledger.wants)
        rows = {key: ledger.rows[key] for key in self._told(talk) if key in ledger.rows}
        return Terms(
            now_ns=now,
            live_workers=counter.live_workers,
            rows={key: row_state(row, ledger.leases.get((talk.boot, key))) for key, row in rows.items()},
            verdicts=counter.verdicts,
            wants=wants,
            oldest=oldest,
        )

    def _counter(self, talk: Talk) -> Counter:
        ledger = self.ledger
        return Counter(
            boot=talk.boot,
            rows=ledger.rows,
            leases=leases_by_row((boot, key, lease) for (boot, key), lease in ledger.leases.items()),
            wants=list(ledger.wants),
            live_workers=sum(boot.life is Life.LIVE for boot in ledger.boots.values()),
        )

    def _change_wants(self, counter: Counter, now: int) -> None:
        ledger = self.ledger
        ledger.wants = [want for want in ledger.wants if want.number not in counter.dropped]
        for ask in counter.added:
            ledger.numbers += 1
            ledger.wants.append(Want(ledger.numbers, counter.boot, ask.request_id, tuple(sorted(ask.need)), now))
        for key, look in counter.looked.items():
            ledger.numbers += 1
            ledger.wants.append(Want(ledger.numbers, counter.boot, f"look {ledger.numbers}", (key,), now, look))

    def _told(self, talk: Talk) -> set[RowKey]:
        troubled = {
            key
            for (boot, key), lease in self.ledger.leases.items()
            if boot == talk.boot and lease.share and _is_troubled(self.ledger.rows[key])
        }
        return talk.named() | troubled

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("the database is away")

    def _answer(self) -> None:
        if self.lose_answer:
            self.lose_answer = False
            raise ConnectionError("the answer was lost")


def _is_troubled(row: Row) -> bool:
    return bool(row.excess) or row.life is not RowLife.OPEN
