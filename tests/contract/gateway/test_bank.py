"""Two workers with real journal files, ingest beside them, on each ledger: what is spent, and what is left at rest."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.journal import SegmentJournal
from clavero.adapters.storage.segments import Segments
from clavero.control.ingest import POSTGRES_PACE, Ingest
from clavero.control.reclaim import Reclaim
from clavero.domain.budgets import Budget, RowKey, Subject, Window, budget_id
from clavero.domain.errors import BudgetBusy, InsufficientQuota, LedgerUnavailable
from clavero.domain.ledger import BootId, Life
from clavero.domain.pricing import Bound, Price
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases
from clavero.gateway.reserve import Wish, reserve
from clavero.testing.ledgers import Ledger

PRICE = Price(id="x/y", version="v", input=0, output=1_000_000)  # a nano-dollar a token
KEY, ALL = (
    Budget(id=budget_id(subject, "x", window), subject=subject, name="x", window=window, limit_n=limit)
    for subject, window, limit in ((Subject.KEY, Window.DAY, 300), (Subject.ORGANISATION, Window.FOREVER, 10_000))
)
ROW = RowKey(ALL.id, 0)
WORST = 10


class Branch:
    """One worker without an HTTP side."""

    def __init__(self, name: str, ledger: Ledger, segments: Segments, root: Path) -> None:
        self.boot = BootId(name * 32)
        self.journal = SegmentJournal(root, self.boot, "w", report=_must_not_happen)
        self.bank = Bank(ledger.lender(segments.place), self.journal, Leases(self.boot), SystemClock())

    async def spend(self, name: str, charge: int, budgets: tuple[Budget, ...] = (KEY, ALL)) -> int:
        """One exchange; returns what it cost, 0 where it was refused."""
        wish = Wish("y", PRICE, Bound(0), budgets)
        wish.asked = WORST
        try:
            with await reserve(name, wish, self.bank, self.journal) as hold:
                on_file, ended = asyncio.Event(), asyncio.Event()
                hold.when_written(on_file.set, on_file.set, Exchange(name, 1))
                await on_file.wait()
                await asyncio.sleep(0.001)
                hold.settle(Exchange(name, 1, cost_n=charge), then=ended.set)
                await ended.wait()
        except (InsufficientQuota, BudgetBusy):
            return 0
        return charge


def _must_not_happen(event: str, error: Exception) -> None:
    raise AssertionError(event) from error


class House:
    """Two workers and what reads their journals."""

    def __init__(self, ledger: Ledger, root: Path) -> None:
        self.ledger = ledger
        for budget in (KEY, ALL):
            ledger.budget(budget.id, budget.limit_n)
        segments = Segments(root)
        self.branches = [Branch(name, ledger, segments, root) for name in "ab"]
        self.ingest = Ingest(segments, ledger.books(), SystemClock(), POSTGRES_PACE)
        self.reclaim = Reclaim(segments, ledger.books(), self.ingest)

    async def until_nothing_is_leased(self) -> None:
        """At rest every slice is back, within a few seconds."""
        for _ in range(400):
            if self.ledger.row(ROW).leased == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.ledger.row(ROW).leased} leased at rest")


@pytest.fixture
async def house(ledger: Ledger, tmp_path: Path) -> AsyncIterator[House]:
    made = House(ledger, tmp_path / "journal")
    reading = asyncio.ensure_future(made.ingest.forever())
    for branch in made.branches:
        await branch.bank.register("w")
        branch.bank.start()
    yield made
    for branch in made.branches:
        await branch.bank.close()
        branch.journal.close(9)
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    for _ in range(3):
        made.reclaim.sweep()
    assert {lease.share for lease in ledger.leases().values()} <= {0}
    assert made.ledger.books().boots()[1] == []  # both sealed, read to the end and closed


async def test_two_workers_never_spend_more_than_there_is_and_give_back_what_they_do_not_need(house: House) -> None:
    calls = [house.branches[n % 2].spend(f"r{n}", n % (WORST + 1)) for n in range(120)]
    spent = sum(await asyncio.gather(*calls))
    assert spent <= KEY.limit_n
    await house.until_nothing_is_leased()
    row = house.ledger.row(ROW)
    assert (row.posted, row.leased, row.lost, row.excess) == (spent, 0, 0, 0)
    assert sum(values["cost_n"] for values in house.ledger.usage().values()) == spent
    assert house.ledger.open_holds() == set()


async def test_one_after_the_other_spends_the_last_nano_dollar(house: House) -> None:
    """No refusal while there is room, whichever worker is asked: 30 calls of 10 fit into 300."""
    spent = 0
    for number in range(31):
        spent += await house.branches[number % 2].spend(f"r{number}", WORST)
    assert spent == KEY.limit_n


async def test_a_boot_that_was_written_off_ends_what_runs_and_holds_no_more(house: House) -> None:
    branch, other = house.branches
    assert await branch.spend("r1", 7) == 7
    house.ledger.end(branch.boot)
    for _ in range(100):
        if branch.bank.fenced:
            break
        await asyncio.sleep(0.02)  # the next talk tells it
    with pytest.raises(LedgerUnavailable):
        await branch.spend("r2", WORST)
    assert await other.spend("r3", 7) == 7
    assert Life.LOST in {boot.life for boot in house.ledger.books().boots()[1]}
