"""The end of a boot: proof first, then its journal to the end, then its money; silence frees nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from clavero.adapters.storage.segments import Segments
from clavero.control.ingest import POSTGRES_PACE, Ingest
from clavero.control.reclaim import SILENT_NS, End, Ended, Reclaim, silent_ns
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Life, Place, Talk
from clavero.domain.usage import Exchange
from clavero.testing.clock import StoppedClock
from clavero.testing.journals import PlainJournal
from clavero.testing.ledgers import MemoryTestLedger
from clavero.wire.journal import Hold, Seal, Settle

A, B = BootId("a" * 32), BootId("b" * 32)
KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


class Desk:
    """A worker that has lent 100 and holds 30 of it in one open call; a reclaimer beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = StoppedClock()
        self.ledger = MemoryTestLedger(self.clock)
        self.ledger.budget(KEY.budget, 1000)
        self.books = self.ledger.memory_books
        self.segments = Segments(root)
        self.ingest = Ingest(self.segments, self.books, self.clock, POSTGRES_PACE)
        self.reclaim = Reclaim(self.segments, self.books, self.ingest)
        self.journal = self.worker(A, self.segments.place)
        self.journal.tick(Hold("r1", 5, ((KEY.budget, KEY.period, 30),)))

    def worker(self, boot: BootId, place: Place, *, tail: int = 0) -> PlainJournal:
        journal = PlainJournal(self.root, boot)
        lender = self.ledger.lender(place)
        lender.register(boot, "w")
        lender.talk(Talk(boot, 1, tail, {}, {}, (Ask("r", {KEY: 100}, {}, {}),)))
        return journal

    def settle(self, name: str, charge: int) -> None:
        rows = ((KEY.budget, KEY.period, charge, charge),)
        self.journal.tick(Settle(name, rows, "", Exchange(name, 5, cost_n=charge)))

    def sweep_until_quiet(self) -> list[Ended]:
        return [step for _ in range(5) for step in self.reclaim.sweep()]

    def money(self) -> tuple[int, int, int]:
        row = self.ledger.row(KEY)
        return row.posted, row.leased, row.lost


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.journal.die()


def test_a_living_boot_is_left_alone_however_often_it_is_looked_at(desk: Desk) -> None:
    assert desk.sweep_until_quiet() == []
    assert desk.money() == (0, 100, 0)


@pytest.mark.requirement(1)
def test_a_killed_boot_pays_its_open_hold_and_gives_the_rest_back(desk: Desk) -> None:
    desk.journal.die()
    assert desk.sweep_until_quiet() == [Ended(A, End.CLOSED)]
    assert desk.money() == (30, 0, 0)
    assert desk.ledger.usage()["r1"]["flag"] == "estimated"


def test_what_was_written_before_death_is_read_before_the_end(desk: Desk) -> None:
    for _ in range(3):
        desk.journal.next_segment()
    desk.settle("r1", 4)
    desk.journal.die()
    assert desk.sweep_until_quiet() == [Ended(A, End.CLOSED)]
    assert desk.money() == (4, 0, 0)


def test_a_sweep_that_finds_more_to_read_leaves_the_end_to_the_next(desk: Desk) -> None:
    desk.journal.die()
    assert desk.reclaim.sweep() == []
    assert desk.reclaim.sweep() == [Ended(A, End.CLOSED)]


def test_a_torn_tail_is_dropped_because_its_calls_never_left(desk: Desk) -> None:
    desk.journal.raw(b"\x40\0\0\0torn")
    desk.journal.die()
    assert desk.sweep_until_quiet() == [Ended(A, End.CLOSED)]
    assert desk.money() == (30, 0, 0)


def test_a_seal_is_proof_though_the_lock_is_still_held(desk: Desk) -> None:
    desk.settle("r1", 4)
    desk.journal.tick(Seal(9))
    assert desk.sweep_until_quiet() == []
    while desk.ingest.turn(desk.books.boots()[1][0]).frames:
        pass
    assert desk.sweep_until_quiet() == [Ended(A, End.CLOSED)]
    assert desk.money() == (4, 0, 0)


def test_a_closed_boot_leaves_only_the_newest_segments_and_an_unknown_one_everything(desk: Desk) -> None:
    stranger = PlainJournal(desk.root, B)
    stranger.tick(Seal(1))
    stranger.die()
    for _ in range(6):
        desk.journal.next_segment()
    desk.journal.die()
    desk.sweep_until_quiet()
    assert sorted(path.stem for path in desk.journal.directory.glob("*.seg")) == ["3", "4", "5", "6"]
    assert stranger.path.exists(), "a database that was restored may not know it yet"


# --- what is missing stays lost


def only(steps: list[Ended]) -> Ended:
    assert len(steps) == 1
    return steps[0]


def test_a_journal_shorter_than_its_worker_said_costs_the_whole_share(desk: Desk) -> None:
    lender = desk.ledger.lender(desk.segments.place)
    lender.talk(Talk(A, 1, desk.journal.written + 1, {}, {}))
    desk.journal.die()
    step = only(desk.sweep_until_quiet())
    assert step.end is End.INCOMPLETE
    assert "bytes" in step.reason
    assert desk.money() == (30, 0, 70)


def test_a_hole_in_the_journal_costs_the_whole_share(desk: Desk) -> None:
    desk.journal.next_segment()
    desk.journal.next_segment()
    (desk.journal.directory / "1.seg").unlink()
    desk.journal.die()
    assert only(desk.sweep_until_quiet()).end is End.INCOMPLETE
    assert desk.money() == (30, 0, 70)


def test_a_machine_that_went_down_costs_the_share_of_who_had_not_synced(desk: Desk) -> None:
    elder = Place(desk.segments.place.home, "another kernel")
    desk.worker(B, elder).die()
    desk.journal.die()
    steps = {step.boot: step for step in desk.sweep_until_quiet()}
    assert (steps[A].end, steps[B].end) == (End.CLOSED, End.INCOMPLETE)
    assert "machine" in steps[B].reason
    assert desk.money() == (30, 0, 100)


def test_another_kernel_is_no_proof_while_somebody_holds_the_lock(desk: Desk) -> None:
    journal = desk.worker(B, Place(desk.segments.place.home, "another kernel"))
    assert desk.sweep_until_quiet() == [], "two machines share the directory, which they must not"
    journal.die()


def test_a_machine_that_went_down_costs_a_syncing_worker_its_open_holds_only(desk: Desk) -> None:
    desk.worker(B, Place(desk.segments.place.home, "another kernel", durable=True)).die()
    assert only(desk.sweep_until_quiet()) == Ended(B, End.CLOSED)
    assert desk.money() == (0, 100, 0)


def test_a_journal_that_is_gone_costs_the_whole_share_once_its_machine_has_started_anew(desk: Desk) -> None:
    lost = desk.worker(B, Place(desk.segments.place.home, "another kernel", durable=True))
    lost.die()
    for path in lost.directory.iterdir():
        path.unlink()
    lost.directory.rmdir()
    step = only(desk.sweep_until_quiet())
    assert (step.end, step.reason) == (End.INCOMPLETE, "the journal is gone")
    assert desk.money() == (0, 100, 100)


def test_an_operator_may_declare_dead_what_nobody_can_prove_and_nothing_becomes_free(desk: Desk) -> None:
    while desk.ingest.turn(desk.books.boots()[1][0]).frames:
        pass
    assert desk.reclaim.declare_dead(desk.books.boots()[1][0])
    assert desk.money() == (30, 0, 70)


# --- silence


def test_a_silent_boot_of_another_machine_is_written_off_and_never_freed(desk: Desk) -> None:
    desk.worker(B, Place("elsewhere", "kernel")).die()
    assert desk.sweep_until_quiet() == []
    desk.clock.advance(SILENT_NS / 1e9 + 1)
    assert {step.boot: step.end for step in desk.sweep_until_quiet()}[B] is End.LOST
    assert desk.ledger.row(KEY).lost >= 100
    assert desk.ledger.memory.boots[B].life is Life.LOST


def test_a_lost_boot_of_this_machine_is_closed_once_it_is_proved_dead(desk: Desk) -> None:
    desk.clock.advance(SILENT_NS / 1e9 + 1)
    assert [step.end for step in desk.sweep_until_quiet()] == [End.LOST]
    assert desk.money() == (0, 0, 100)
    desk.settle("r1", 4)
    desk.journal.die()
    assert [step.end for step in desk.sweep_until_quiet()] == [End.CLOSED]
    assert desk.money() == (4, 0, 0)


async def test_it_goes_on_when_the_database_comes_back(desk: Desk) -> None:
    desk.journal.die()
    desk.books.away = True
    told: asyncio.Queue[Ended] = asyncio.Queue()
    running = asyncio.ensure_future(desk.reclaim.forever(told.put_nowait, every=0.005))
    await asyncio.sleep(0.02)
    assert told.empty()
    desk.books.away = False
    assert await told.get() == Ended(A, End.CLOSED)
    running.cancel()


def test_a_journal_of_a_worker_that_died_before_it_registered_is_removed(desk: Desk) -> None:
    stillborn = PlainJournal(desk.root, B)
    desk.reclaim.sweep()
    assert stillborn.directory.exists(), "it may be about to register"
    stillborn.die()
    desk.journal.die()
    desk.sweep_until_quiet()
    assert not stillborn.directory.exists()


def test_a_journal_that_no_database_knows_is_kept_if_anything_is_written_there(desk: Desk) -> None:
    unknown = PlainJournal(desk.root, B)
    unknown.tick(Seal(1))
    unknown.die()
    desk.journal.die()
    desk.sweep_until_quiet()
    assert unknown.path.exists()


def test_others_wait_a_fifteenth_longer_than_a_worker_holds_before_they_give_it_up() -> None:
    assert silent_ns(900) == 960_000_000_000
