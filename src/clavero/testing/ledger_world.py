"""A small world around the real ledger: workers that borrow, hold, settle and die, a reader, a reclaimer, an operator.

Everything that must be true is checked after every step (`check`) and once nobody is left (`rest`), against what was
really spent, which the world keeps apart from the database. Parts can be exchanged, so a test can put a mutant in.
"""

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from clavero.adapters.storage.books import SqlBooks
from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.lender import SqlLender
from clavero.adapters.storage.segments import Segments
from clavero.adapters.storage.session import Away, Database, OutcomeUnknown, Session, Values
from clavero.control.ingest import POSTGRES_PACE, Ingest
from clavero.control.reclaim import SILENT_NS, End, Reclaim
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Answer, Ask, BootId, Fenced, Talk, Terms
from clavero.domain.usage import Exchange
from clavero.testing.clock import StoppedClock
from clavero.testing.grounds import Ground, SqliteGround
from clavero.testing.journals import PlainJournal
from clavero.wire.journal import Hold, Seal, Settle

KEY, TEAM = BudgetId("key/0123456789AB:day"), BudgetId("team/support:month")
_DAY = StoppedClock().wall_ns() // (86_400 * 10**9) * 86_400
ROWS = (RowKey(KEY, _DAY), RowKey(KEY, _DAY + 86_400), RowKey(TEAM, 0))
Need = dict[RowKey, int]


class Fate(Struct, frozen=True):
    """What happens to one transaction: the connection drops at its n-th statement, or its answer is lost."""

    drops_at: int = 0  # 0: never
    answer_lost: bool = False


WELL = Fate()


class Parts(Struct, frozen=True):
    """What the world is made of; a mutant takes the place of a part."""

    lender: type[SqlLender] = SqlLender
    books: type[SqlBooks] = SqlBooks
    ingest: type[Ingest] = Ingest
    reclaim: type[Reclaim] = Reclaim


class FatefulDatabase:
    """The real database, whose next transaction has a fate."""

    fate = WELL

    def __init__(self, real: Database) -> None:
        self._real = real

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Session]:
        """The real transaction; write transactions meet their fate once."""
        fate = self.fate if write else WELL
        if write:
            self.fate = WELL
        with self._real.transaction(write=write) as session:
            yield _Dropping(session, fate.drops_at) if fate.drops_at else session
        if fate.answer_lost:
            raise OutcomeUnknown("the answer was lost")

    def close(self) -> None:
        """End the session."""
        self._real.close()


class _Dropping:
    """A session that ends at its n-th statement, as a killed process ends."""

    def __init__(self, session: Session, left: int) -> None:
        self._session = session
        self._left = left

    def rows(self, statement: Statement, values: Values) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        self._count()
        return self._session.rows(statement, values)

    def change(self, statement: Statement, values: Values) -> int:
        """Run one statement."""
        self._count()
        return self._session.change(statement, values)

    def many(self, statement: Statement, values: Iterable[Values]) -> None:
        """One statement more."""
        self._count()
        self._session.many(statement, values)

    def attempt(self) -> AbstractContextManager[None]:
        """A part that is undone alone."""
        return self._session.attempt()

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Away("the connection dropped")


class Call(Struct):
    """What really happened to one call."""

    need: Need
    covered: Need = field(default_factory=dict)
    charge: int | None = None  # None: it has not ended, or nobody heard of it


class Worker(Struct):
    """What one boot keeps in memory (L2)."""

    boot: BootId
    lender: SqlLender
    database: FatefulDatabase
    journal: PlainJournal
    free: Counter[RowKey] = field(default_factory=Counter)
    granted: Counter[RowKey] = field(default_factory=Counter)
    returned: Counter[RowKey] = field(default_factory=Counter)
    holds: dict[str, Need] = field(default_factory=dict)
    alive: bool = True
    fenced: bool = False


class World:
    """Three workers at most, two budgets, one database file, one journal directory."""

    def __init__(self, root: Path, parts: Parts = Parts(), ground: Ground | None = None) -> None:  # noqa: B008 - frozen
        self.root = root
        self.parts = parts
        self.ground = ground or SqliteGround(root)
        self.clock, self.ledger = self.ground.clock, self.ground.ledger
        self.segments = Segments(root / "journal")
        self.reader = FatefulDatabase(self.ground.database())
        self.books = parts.books(self.reader, self.clock, self.ground.make_days)
        self.ingest = parts.ingest(self.segments, self.books, self.clock, POSTGRES_PACE, kept=0)
        self.reclaim = parts.reclaim(self.segments, self.books, self.ingest)
        self.workers: list[Worker] = []
        self.calls: dict[str, Call] = {}
        self.limits: Counter[BudgetId] = Counter()
        self.highest: Counter[BudgetId] = Counter()
        self.lowered = False
        self.incomplete: set[BootId] = set()
        self.uncovered: Counter[RowKey] = Counter()
        for budget in (KEY, TEAM):
            self.budget(budget, 40)

    # --- the operator

    def budget(self, budget: BudgetId, limit: int) -> None:
        """Make a budget."""
        self.ledger.budget(budget, limit)
        self.limits[budget] = self.highest[budget] = limit

    def limit(self, budget: BudgetId, limit: int) -> None:
        """Change a limit."""
        self.lowered = self.lowered or limit < self.limits[budget]
        self.limits[budget] = limit
        self.highest[budget] = max(limit, self.highest[budget])
        self.ledger.apply_limit(budget, limit)

    def delete(self, budget: BudgetId) -> None:
        """Delete a budget."""
        self.ledger.delete(budget)

    # --- workers

    def start(self) -> Worker:
        """A new boot: lock, journal, then the database."""
        boot = BootId(f"{len(self.workers):032x}")
        database = FatefulDatabase(self.ground.database())
        lender = self.parts.lender(database, self.segments.place)
        worker = Worker(boot, lender, database, PlainJournal(self.root / "journal", boot))
        lender.register(boot, "w")
        self.workers.append(worker)
        return worker

    def borrow(self, worker: Worker, need: Need, fate: Fate = WELL) -> Answer | None:
        """Ask for what is missing; None where no answer came. Then holds, when it was granted."""
        name = f"{worker.boot[-2:]}.{len(self.calls)}"
        ask = Ask(
            name, need, {key: 2 * amount for key, amount in need.items()}, {key: worker.free[key] for key in need}
        )
        terms = self.talk(worker, ask, fate=fate)
        return terms.verdicts[name].answer if terms else None

    def give_back(self, worker: Worker, fate: Fate = WELL) -> None:
        """Return every free slice: memory first, then the database (L12)."""
        for key in ROWS:
            worker.returned[key] += worker.free[key]
            worker.free[key] = 0
        self.talk(worker, fate=fate)

    def talk(self, worker: Worker, *asks: Ask, fate: Fate = WELL) -> Terms | None:
        """One talk; what it says of granted totals is believed, whatever came before (L11)."""
        worker.database.fate = fate
        returned = {key: total for key, total in worker.returned.items() if total}
        talk = Talk(worker.boot, 1, worker.journal.written, returned, {}, asks, tuple(worker.granted))
        try:
            terms = worker.lender.talk(talk)
        except Fenced:
            worker.fenced = True
            return None
        except ConnectionError:
            return None
        for key, row in terms.rows.items():
            worker.free[key] += row.granted - worker.granted[key]
            worker.granted[key] = row.granted
        return terms

    def hold(self, worker: Worker, need: Need) -> str | None:
        """Take all rows or none, write the hold frame; only then does the call leave."""
        if worker.fenced or any(worker.free[key] < amount for key, amount in need.items()):
            return None
        worker.free.subtract(need)
        name = f"{worker.boot[-2:]}.{len(self.calls)}"
        worker.holds[name] = need
        worker.journal.tick(Hold(name, 5, tuple((*key, amount) for key, amount in need.items())))
        self.calls[name] = Call(need)
        return name

    def settle(self, worker: Worker, name: str, charge: int) -> None:
        """The provider has reported: drain free slices for an overrun, write the frame, then free the slack."""
        need, call = worker.holds.pop(name), self.calls[name]
        for key, amount in need.items():
            drained = max(0, min(charge - amount, worker.free[key]))
            worker.free[key] -= drained
            call.covered[key] = min(charge, amount + drained)
            self.uncovered[key] += charge - call.covered[key]
        call.charge = charge
        rows = tuple((*key, charge, call.covered[key]) for key in need)
        worker.journal.tick(Settle(name, rows, "", Exchange(name, 5, cost_n=charge)))
        for key, amount in need.items():
            worker.free[key] += max(0, amount - call.covered[key])

    def kill(self, worker: Worker, *, torn: bool = False) -> None:
        """Dead at once, perhaps inside a write."""
        if torn:
            worker.journal.raw(b"\x50\0\0\0half a block")
        worker.journal.die()
        worker.lender.close()
        worker.alive = False

    def seal(self, worker: Worker) -> None:
        """An orderly stop: everything settled, the last frame written."""
        for name, need in list(worker.holds.items()):
            self.settle(worker, name, min(need.values()))
        worker.journal.tick(Seal(9))
        self.kill(worker)

    def lose_segment(self, worker: Worker) -> None:
        """The segment that was written to is gone, and its worker with it; the database knew how long it was."""
        self.talk(worker)
        if not worker.fenced:
            self.kill(worker)
            worker.journal.path.unlink()
            self.incomplete.add(worker.boot)

    def lose_directory(self, worker: Worker) -> None:
        """All of a journal is gone, its lock too: nobody can ever prove anything."""
        self.kill(worker)
        shutil.rmtree(worker.journal.directory)
        self.incomplete.add(worker.boot)

    # --- the control plane

    def read(self, fate: Fate = WELL, most: int = 3) -> int:
        """One turn for every boot of this directory; returns how many frames were posted."""
        self.ingest._most = most  # noqa: SLF001 - small turns meet more states
        self.reader.fate = fate
        with contextlib.suppress(ConnectionError):
            return sum(self.ingest.turn(boot).frames for boot in self.ingest.boots())
        return 0

    def read_late(self) -> None:
        """A second reader has read what the first one posts meanwhile."""
        pieces = [(boot, self.ingest.read(boot)) for boot in self.ingest.boots()]
        self.read(most=100)
        for boot, stretch in pieces:
            self.ingest.post(boot, stretch)

    def sweep(self, fate: Fate = WELL) -> None:
        """Look for dead and silent boots."""
        self.reader.fate = fate
        with contextlib.suppress(ConnectionError):
            for step in self.reclaim.sweep():
                if step.end is End.INCOMPLETE:
                    assert step.boot in self.incomplete, f"{step} though nothing of its journal is missing"

    def be_silent(self) -> None:
        """Nobody is heard of for longer than anybody may be."""
        self.clock.advance(SILENT_NS / 1e9 + 1)

    # --- what must be true

    def check(self) -> None:
        """After every step."""
        usage, shares = self._usage(), Counter[RowKey]()
        for (_, key), lease in self.ledger.leases().items():
            assert lease.share >= 0, f"{key}: a share below 0"
            assert lease.lost >= 0, f"{key}: a write-off below 0"
            shares[key] += lease.share
        for key, row in self.ledger.rows().items():
            assert min(row.posted, row.leased, row.lost, row.excess) >= 0, key
            assert row.posted + row.leased + row.lost <= row.limit + row.excess, f"{key}: beyond the limit"
            assert row.leased == shares[key], f"{key}: leased {row.leased}, shares {shares[key]}"
            assert row.posted == usage[key], f"{key}: posted {row.posted}, usage {usage[key]}"
            assert self._committed(key) <= self.highest[key.budget], f"{key}: overspent"
            if not self.lowered:
                assert row.excess <= self.uncovered[key], f"{key}: excess {row.excess} without an overrun"
        assert not self.ledger.rejects(), self.ledger.rejects()
        for worker in self.workers:
            self._check_memory(worker)

    def rest(self) -> None:
        """Once everybody is dead and everything is read."""
        for worker in self.workers:
            if worker.alive:
                self.kill(worker)
        self.be_silent()
        for _ in range(len(self.calls) + 20):
            self.read(most=100)
            self.sweep()
        self.check()
        open_holds = "SELECT boot_id FROM open_hold WHERE boot_id IN (SELECT boot_id FROM boot WHERE state = 'closed')"
        assert not self.ledger.all(open_holds), "a closed boot has open holds"
        gone = {name for worker in self.workers if worker.boot in self.incomplete for name in self._calls_of(worker)}
        for key, row in self.ledger.rows().items():
            spent = self._spent(key, gone)
            assert row.leased == 0, f"{key}: {row.leased} leased at rest"
            if self.incomplete:
                assert spent <= row.posted + row.lost, f"{key}: spent {spent}, known {row.posted} and {row.lost}"
            else:
                assert row.lost == 0, f"{key}: {row.lost} lost at rest"
                assert row.posted == spent, f"{key}: posted {row.posted}, spent {spent}"

    def close(self) -> None:
        """Let go of files and connections."""
        for worker in self.workers:
            worker.journal.die()
            worker.lender.close()
        self.books.close()
        self.ground.close()

    def _usage(self) -> Counter[RowKey]:
        posted = Counter[RowKey]()
        for values in self.ledger.usage().values():
            for budget, period, amount in json.loads(values["amounts"]):
                posted[RowKey(budget, period)] += amount
        return posted

    def _committed(self, key: RowKey) -> int:
        """What really was spent or may still be, overruns aside: they are nobody's promise."""
        return sum(
            call.need[key] if call.charge is None else min(call.charge, call.need[key])
            for call in self.calls.values()
            if key in call.need
        )

    def _spent(self, key: RowKey, gone: set[str]) -> int:
        """What the ledger must know at rest: the charge that was written, else the whole hold."""
        return sum(
            call.need[key] if call.charge is None else min(call.charge, call.need[key]) if name in gone else call.charge
            for name, call in self.calls.items()
            if key in call.need
        )

    def _calls_of(self, worker: Worker) -> list[str]:
        return [name for name in self.calls if name.startswith(worker.boot[-2:] + ".")]

    def _check_memory(self, worker: Worker) -> None:
        """What a worker can still spend never exceeds what the database keeps for it (L2)."""
        if not worker.alive:
            return
        leases, posted = self.ledger.leases(), self.ledger.usage()
        for key in worker.granted:
            lease = leases.get((worker.boot, key))
            kept = lease.share + lease.lost if lease else 0
            owed = max(0, worker.returned[key] - (lease.returned if lease else 0))
            unread = sum(self.calls[n].covered.get(key, 0) for n in self._calls_of(worker) if n not in posted)
            held = sum(need.get(key, 0) for need in worker.holds.values())
            mine = worker.free[key] + held + unread + owed
            assert worker.free[key] >= 0, f"{worker.boot} {key}: a free slice below 0"
            assert mine <= kept, f"{worker.boot} {key}: memory {mine}, kept {kept}"


Scenario = Callable[[World], None]
