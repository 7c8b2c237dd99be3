"""A world around the real leases: workers with the real holds and journal files, the real lender, books and ingest.

Steps are small, so that a hostile scheduler can put anything between them: a talk is begun, carried out and heard; a
frame is queued and written; a call leaves when its frame is on file. What was really spent is kept apart from every
ledger, and `check` and `rest` hold the two against each other. Parts can be exchanged: a mutant takes their place.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import cast

from msgspec import Struct, field

from clavero.adapters.storage.journal import SegmentJournal
from clavero.adapters.storage.segments import Segments
from clavero.control.ingest import POSTGRES_PACE, Ingest
from clavero.control.reclaim import SILENT_NS, Reclaim
from clavero.domain.budgets import Budget, BudgetId, RowKey, Subject, Window, budget_id
from clavero.domain.ledger import Answer, BootId, Fenced, Lease, Life, Position, Row, Talk, Terms
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases, Purse, Refused, Waiter
from clavero.gateway.reserve import Hold
from clavero.ports.ledger import Lender
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import Ledger
from clavero.wire import journal as frames
from clavero.wire.journal import Settle

KEY, TEAM, ALL = (
    Budget(id=budget_id(subject, "x", window), subject=subject, name="x", window=window, limit_n=40)
    for subject, window in (
        (Subject.KEY, Window.DAY),
        (Subject.TEAM, Window.MONTH),
        (Subject.ORGANISATION, Window.FOREVER),
    )
)
BUDGETS = ((KEY,), (KEY, TEAM), (TEAM, ALL), (KEY, TEAM, ALL))


class HandLoop:
    """A loop that does nothing by itself: the world writes when it wants to."""

    def call_soon(self, *_: object) -> None:
        """Never."""

    def call_later(self, *_: object) -> "HandLoop":
        """Never."""
        return self

    def cancel(self) -> None:
        """Nothing to cancel."""


class HandJournal(SegmentJournal):
    """The real writer on real files, a tick at a time; the next write may fail with a torn frame left behind."""

    def __init__(self, root: Path, boot: BootId) -> None:
        super().__init__(root, boot, "w", report=_fail_on_bugs)
        self._loop = cast("asyncio.AbstractEventLoop", HandLoop())
        self.fails = False

    def tick(self) -> None:
        """Write what is queued, as the loop would."""
        self._flush()

    def _put(self, data: bytes) -> None:
        if self.fails:
            self.fails = False
            self._torn = True
            with open(self._path(self._number), "r+b") as file:  # noqa: PTH123 - a file written beside its owner
                file.seek(self._position)
                file.write(data[: len(data) // 2])
            self._cut()
            raise OSError("no space left")
        super()._put(data)

    def die(self, torn: bytes = b"") -> None:
        """As kill -9, perhaps inside a write: what is queued is gone, the files stay as they are."""
        self._queue.clear()
        if not self._closed:
            self._closed = True
            os.pwrite(self._file, torn, self._position)
            self._thread.shutdown(wait=True)
            for file in (self._file, self._lock, *([] if self._next is None else [self._next])):
                os.close(file)


def _fail_on_bugs(event: str, error: Exception) -> None:
    if isinstance(error, AssertionError):
        raise error
    assert isinstance(error, OSError), f"{event}: {error!r}"


class Call(Struct):
    """What really happened to one call."""

    worker: "Worker"
    keys: tuple[RowKey, ...]
    amount: int
    hold: Hold
    left: bool = False  # the provider has it
    charge: int | None = None
    covered: Counter[RowKey] = field(default_factory=Counter)


class Parts(Struct, frozen=True):
    """What a worker is made of; a mutant takes the place of a part."""

    leases: type[Leases] = Leases
    hold: type[Hold] = Hold
    journal: type[HandJournal] = HandJournal


class Worker:
    """One boot: leases, journal, lender, and at most one talk under way."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.boot = BootId(name)
        self.leases = world.parts.leases(self.boot)
        self.journal = world.parts.journal(world.root / "journal", self.boot)
        self.lender: Lender = world.ledger.lender(world.segments.place)
        self.leases.incarnation = self.lender.register(self.boot, "w")
        self.waiters: dict[str, Waiter] = {}
        self.saying: Talk | None = None
        self.heard: Terms | None = None
        self.alive = True
        self.fenced = False

    @property
    def latest_ns(self) -> int:
        """The ledger clock."""
        return self.world.clock.wall_ns()


class World:
    """Up to a few workers on one ledger and one journal directory."""

    def __init__(self, root: Path, ledger: Ledger, clock: StoppedClock, parts: Parts) -> None:
        self.root, self.ledger, self.clock, self.parts = root, ledger, clock, parts
        self.segments = Segments(root / "journal")
        self.books = ledger.books()
        self.ingest = Ingest(self.segments, self.books, clock, POSTGRES_PACE, kept=0)
        self.reclaim = Reclaim(self.segments, self.books, self.ingest)
        self.workers: list[Worker] = []
        self.calls: dict[str, Call] = {}
        self.limits: Counter[BudgetId] = Counter()
        self.highest: Counter[BudgetId] = Counter()
        self.lowered = False
        self.number = 0
        self.short: set[str] = set()  # waiters that at some instant could not have been served, whoever gave up what
        self.refused = 0
        for budget in (KEY, TEAM, ALL):
            ledger.budget(budget.id, budget.limit_n)
            self.limits[budget.id] = self.highest[budget.id] = budget.limit_n

    # --- the operator, and time

    def limit(self, budget: BudgetId, limit: int) -> None:
        """Change a limit."""
        self.lowered = self.lowered or limit < self.limits[budget]
        self.limits[budget] = limit
        self.highest[budget] = max(limit, self.highest[budget])
        self.ledger.apply_limit(budget, limit)
        self.note()

    def start(self) -> Worker:
        """A new boot."""
        worker = Worker(self, f"{len(self.workers):032x}")
        self.workers.append(worker)
        return worker

    # --- exchanges

    def ask(self, worker: Worker, budgets: tuple[Budget, ...], amount: int) -> str | None:
        """An exchange wants money: it holds at once, or waits; returns its name."""
        if worker.fenced or worker.journal.holds_refused:
            return None
        self.number += 1
        name = f"r{self.number}"
        purse = worker.leases.purse(budgets, worker.latest_ns)
        if worker.leases.take(purse, amount):
            self._hold(worker, name, purse, amount)
        else:
            waiter = worker.waiters[name] = Waiter(name, purse, amount)
            worker.leases.wait(waiter)
        self.note()
        return name

    def leave(self, worker: Worker, name: str) -> None:
        """A caller goes while it waits."""
        worker.leases.leave(worker.waiters.pop(name))
        self.note()

    def settle(self, name: str, charge: int) -> None:
        """The provider has reported."""
        call = self.calls[name]
        call.charge = charge
        call.hold.settle(Exchange(name, 5, cost_n=charge))
        queued = [entry.frame for entry in call.worker.journal._queue]
        settled = next((frame for frame in queued if isinstance(frame, Settle) and frame.id == name), None)
        if settled is not None:
            call.covered = Counter({RowKey(BudgetId(b), p): covered for b, p, _, covered in settled.rows})
        self.note()

    def _hold(self, worker: Worker, name: str, purse: Purse, amount: int) -> None:
        bank = cast("Bank", worker)  # what a hold needs of it: `leases` and `latest_ns`
        hold = self.parts.hold(name, purse, amount, 0, bank, worker.journal)
        call = self.calls[name] = Call(worker, purse.keys, amount, hold)
        hold.when_written(lambda: self._leave(call), lambda: self._refused(name), Exchange(name, 5))

    def _leave(self, call: Call) -> None:
        call.left = True
        for key in call.keys:
            assert self.committed(key) <= self.highest[key.budget], f"cap: {key} overspent"
        assert call.hold.id in self._on_file(call.worker), "journal: a call left before its hold was on file"

    def _refused(self, name: str) -> None:
        if self.calls[name].charge is None:
            self.settle(name, 0)

    # --- the money talk

    def begin(self, worker: Worker) -> None:
        """Make up what is said."""
        if worker.saying is None and worker.heard is None and not worker.fenced:
            worker.saying = worker.leases.talk(worker.journal.written, worker.latest_ns)

    def carry(self, worker: Worker, fate: str = "well") -> None:
        """Have it answered: `well`, or `away` (nothing happened), or `lost` (it happened and nobody said so)."""
        talk, worker.saying = worker.saying, None
        if talk is None or fate == "away":
            return
        try:
            terms = worker.lender.talk(talk)
        except Fenced:
            worker.fenced = True
            return
        if fate == "well":
            worker.heard = terms
        self.note()

    def hear(self, worker: Worker) -> list[Waiter]:
        """Take in the answer; whoever got its money holds."""
        terms, worker.heard = worker.heard, None
        if terms is None:
            return []
        done = worker.leases.hear(terms)
        for waiter in done:
            worker.waiters.pop(waiter.request_id, None)
            if waiter.done is True:
                self._hold(worker, waiter.request_id, waiter.purse, waiter.amount)
            elif isinstance(waiter.done, Refused) and waiter.done.answer is Answer.REFUSED:
                self.refused += 1
                assert waiter.request_id in self.short, f"refusal: {waiter.request_id} always fitted"
        self.note()
        return done

    def talk(self, worker: Worker, fate: str = "well") -> list[Waiter]:
        """All three at once; a talk that was under way ends first."""
        self.hear(worker)
        self.begin(worker)
        self.carry(worker, fate)
        return self.hear(worker)

    # --- ends

    def kill(self, worker: Worker, torn: bytes = b"") -> None:
        """Dead at once, perhaps inside a write."""
        worker.alive = False
        worker.journal.die(torn)
        self.note()

    def read(self, most: int = 3) -> None:
        """One turn of ingest for every boot."""
        self.ingest._most = most
        for boot in self.ingest.boots():
            self.ingest.turn(boot)
        self.note()

    def sweep(self) -> None:
        """Look for dead and silent boots."""
        self.reclaim.sweep()
        self.note()

    def be_silent(self) -> None:
        """Nobody is heard of for longer than anybody may be."""
        self.clock.advance(SILENT_NS / 1e9 + 1)

    # --- what must be true

    def committed(self, key: RowKey) -> int:
        """What really was spent, or may still be; overruns aside, they are nobody's promise."""
        return sum(
            call.amount if call.charge is None else min(call.amount, call.charge)
            for call in self.calls.values()
            if key in call.keys and call.left
        )

    def note(self) -> None:
        """Remember which waiters do not fit at this instant: only they may be refused (L18)."""
        waiting = [
            waiter
            for worker in self.workers
            if worker.alive
            for name, waiter in worker.waiters.items()
            if name not in self.short
        ]
        if waiting:
            rows, posted = self.ledger.rows(), self.ledger.usage().keys()
            lives = {boot.id: boot.life for boot in self.books.boots()[1]}
            for waiter in waiting:
                keys = [key for key in waiter.purse.keys if key in rows]
                if any(self._nobodys(key, rows[key], posted, lives) < waiter.amount for key in keys):
                    self.short.add(waiter.request_id)

    def _nobodys(self, key: RowKey, row: Row, posted: Collection[str], lives: dict[BootId, Life]) -> int:
        """What of a row no call has, had or is promised: a worker that dies leaves only what certainly was spent."""
        left = row.limit - row.posted - row.lost
        for name, call in self.calls.items():
            if key not in call.keys or name in posted or lives.get(call.worker.boot) is not Life.LIVE:
                continue
            worst = call.amount if call.worker.alive or call.left else 0
            left -= worst if call.charge is None else call.charge
        for worker in self.workers:
            if worker.heard is not None and worker.alive:
                granted = {name for name, it in worker.heard.verdicts.items() if it.answer is Answer.GRANTED}
                promised = [waiter for name, waiter in worker.leases.waiting.items() if name in granted]
                left -= sum(waiter.amount for waiter in promised if key in waiter.purse.keys)
        return left

    def check(self) -> None:
        """After every step."""
        leases, usage, shares = self.ledger.leases(), self._usage(), Counter[RowKey]()
        for (_, key), lease in leases.items():
            assert lease.share >= 0, f"identity: {key} a share below 0"
            shares[key] += lease.share
        for key, row in self.ledger.rows().items():
            assert row.posted + row.leased + row.lost <= row.limit + row.excess, f"cap: {key} beyond the limit"
            assert row.leased == shares[key], f"identity: {key} leased {row.leased}, shares {shares[key]}"
            assert row.posted == usage[key], f"identity: {key} posted {row.posted}, usage {usage[key]}"
            assert self.committed(key) <= self.highest[key.budget], f"cap: {key} overspent"
            if not self.lowered:
                over = self._uncovered(key)
                assert row.excess <= over, f"excess: {key} has {row.excess}, overruns {over}"
        assert not self.ledger.rejects(), self.ledger.rejects()
        for worker in self.workers:
            if worker.alive:
                self._check_memory(worker, leases)

    def _check_memory(self, worker: Worker, leases: dict[tuple[BootId, RowKey], Lease]) -> None:
        """What a worker can still spend never exceeds what the database keeps for it (L2)."""
        posted = self.ledger.usage()
        for key, mine in worker.leases.slices.items():
            lease = leases.get((worker.boot, key))
            kept = lease.share + lease.lost if lease else 0
            owed = mine.returned - (lease.returned if lease and mine.state else 0)
            assert mine.free >= 0, f"memory: {key} free {mine.free}"
            assert owed >= 0 or mine.state is None, f"memory: {key} R is behind what was returned"
            out = 0
            for name, call in self.calls.items():
                if call.worker is not worker or key not in call.keys or name in posted:
                    continue
                out += call.amount if call.charge is None else call.covered[key]
            assert mine.free + out + owed <= kept, f"memory: {key} {mine.free} + {out} + {owed} > {kept}"

    def rest(self) -> None:
        """Everybody finishes, is read, and gives back: nothing is leased though everybody lives."""
        for worker in self.workers:
            for name in list(worker.waiters):
                self.leave(worker, name)
        for worker in self.workers:
            if worker.alive:
                worker.journal.fails = False
                worker.journal.tick()
        for name, call in self.calls.items():
            if call.worker.alive and call.charge is None:
                self.settle(name, min(call.amount, 2))
        for _ in range(8):
            for worker in self.workers:
                if worker.alive:
                    worker.journal.tick()
                    self.talk(worker)
            self.read(1000)
            self.sweep()
            self.clock.advance(0.6)
            self.check()
        self._at_rest()
        for worker in self.workers:
            if worker.alive:
                self.kill(worker)
        for _ in range(8):
            self.sweep()
        self.check()
        self._at_rest()
        assert not self.ledger.open_holds(), "rest: open holds"

    def _at_rest(self) -> None:
        for key, row in self.ledger.rows().items():
            fenced = any(worker.fenced and worker.alive for worker in self.workers)
            assert row.leased == 0, f"rest: {key} leased {row.leased}"
            assert row.lost == 0 or fenced, f"rest: {key} lost {row.lost}"
            spent = sum(self._known(call, key) for call in self.calls.values() if key in call.keys)
            assert row.posted >= spent, f"rest: {key} posted {row.posted}, spent {spent}"
            if all(worker.alive for worker in self.workers):
                assert row.posted == spent, f"rest: {key} posted {row.posted}, spent {spent}"

    def _known(self, call: Call, key: RowKey) -> int:
        """What the ledger must know of a call at rest: its charge, less an overrun that died before its frame."""
        if not call.left:
            return 0
        worst = call.amount if call.charge is None else call.charge
        return worst if call.worker.alive else min(worst, call.amount)

    def _uncovered(self, key: RowKey) -> int:
        return sum(max(0, (call.charge or 0) - call.amount) for call in self.calls.values() if key in call.keys)

    def _usage(self) -> Counter[RowKey]:
        found = Counter[RowKey]()
        for row in self.ledger.usage().values():
            for budget, period, amount in json.loads(row["amounts"]):
                found[RowKey(budget, period)] += amount
        return found

    def _on_file(self, worker: Worker) -> set[str]:
        """The holds whose frames a reader finds."""
        numbers = [int(path.stem) for path in (self.root / "journal" / worker.boot).glob("*.seg")]
        found, at = set[str](), Position(min(numbers), 0)
        while True:
            stretch = self.segments.read(worker.boot, at, 1000)
            found |= {frame.id for frame in stretch.frames if isinstance(frame, frames.Hold)}
            if stretch.ended and not stretch.frames:
                return found
            at = stretch.to

    def close(self) -> None:
        """Let go of files and connections."""
        for worker in self.workers:
            worker.journal.die()
        self.ledger.close()


Scenario = Callable[[World], None]
