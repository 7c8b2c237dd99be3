"""Ingest: turns are posted once and in order, nothing stands in the way, segments go only afterwards."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from clavero.adapters.storage.segments import Segments
from clavero.control.ingest import POSTGRES_PACE, SQLITE_PACE, Ingest, Pace, Turned, turn_of
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, Boot, BootId, Life, Place, Position, Talk
from clavero.domain.posting import INT64_MAX, Posted, Turn
from clavero.domain.usage import Exchange
from clavero.ports.journal import Stretch
from clavero.testing.books import MemoryBooks
from clavero.testing.clock import StoppedClock
from clavero.testing.journals import PlainJournal
from clavero.testing.ledgers import MemoryTestLedger
from clavero.wire.journal import Frame, Hold, Pulse, Record, Seal, Settle, Unreadable

A = BootId("a" * 32)
KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)


def hold(name: str, amount: int = 10) -> Hold:
    return Hold(name, 5, ((KEY.budget, KEY.period, amount),))


def settle(name: str, charge: int = 7) -> Settle:
    return Settle(name, ((KEY.budget, KEY.period, charge, charge),), "", Exchange(name, 5, cost_n=charge))


class Desk:
    """One boot with 100 lent, its journal, and an ingest that reads it."""

    def __init__(self, root: Path, pace: Pace = POSTGRES_PACE, kept: int = 4) -> None:
        self.clock = StoppedClock()
        self.ledger = MemoryTestLedger(self.clock)
        self.ledger.budget(KEY.budget, 1000)
        self.segments = Segments(root)
        lender = self.ledger.lender(self.segments.place)
        lender.register(A, "w")
        lender.talk(Talk(A, 1, 0, {}, {}, (Ask("r", {KEY: 100}, {}, {}),)))
        self.journal = PlainJournal(root, A)
        self.heard: list[Frame | Unreadable] = []
        self.books = self.ledger.memory_books
        self.ingest = Ingest(self.segments, self.books, self.clock, pace, heard=self.hear, kept=kept)

    def hear(self, boot: BootId, frames: Sequence[Frame | Unreadable]) -> None:
        self.heard += frames

    def boot(self) -> Boot:
        return self.books.boots()[1][0]

    def turn(self) -> Turned:
        return self.ingest.turn(self.boot())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.journal.die()


def test_a_turn_posts_what_the_journal_says_and_tells_of_it_afterwards(desk: Desk) -> None:
    frames: list[Frame] = [hold("r1"), settle("r1"), Record(Exchange("r2", 6)), Pulse(1, 2, 3, 4, 5, 6)]
    desk.journal.tick(*frames)
    turned = desk.turn()
    assert (turned.frames, turned.rejected, turned.ended) == (4, 0, False)
    assert desk.ledger.row(KEY).posted == 7
    assert set(desk.ledger.usage()) == {"r1", "r2"}
    assert desk.heard == frames
    assert desk.turn() == Turned(0, 0, ended=True, at=desk.boot().at)


def test_a_turn_that_somebody_else_posted_is_neither_posted_nor_told_again(desk: Desk) -> None:
    desk.journal.tick(hold("r1"), settle("r1"))
    boot = desk.boot()
    stretch = desk.ingest.read(boot)
    desk.turn()
    assert desk.ingest.post(boot, stretch) == Turned(0, 0, ended=False, at=boot.at)
    assert len(desk.heard) == 2
    assert desk.ledger.row(KEY).posted == 7


def test_a_database_that_is_away_costs_nothing_but_time(desk: Desk) -> None:
    desk.journal.tick(hold("r1"), settle("r1"))
    boot = desk.boot()
    desk.books.away = True
    with pytest.raises(ConnectionError):
        desk.ingest.turn(boot)
    assert desk.heard == []
    desk.books.away = False
    desk.turn()
    assert desk.ledger.row(KEY).posted == 7


def test_a_poisonous_frame_is_put_aside_and_the_others_are_posted(desk: Desk) -> None:
    negative = Settle("r1", ((KEY.budget, KEY.period, -5, 0),), "", Exchange("r1", 5))
    twice = Settle("r2", ((KEY.budget, KEY.period, 5, 5),) * 2, "", Exchange("r2", 5))
    unbounded = Hold("r3", 5, ((KEY.budget, KEY.period, 1 << 63),))
    more_covered = Settle("r4", ((KEY.budget, KEY.period, 5, 6),), "", Exchange("r4", 5))
    desk.journal.tick(negative, twice, unbounded, more_covered, settle("r5"))
    assert desk.turn().rejected == 4
    assert set(desk.ledger.usage()) == {"r5"}
    assert [reason.split()[0] for reason in desk.ledger.rejects()] == ["a", "a", "an", "a"]


def test_a_pulse_beyond_64_bits_is_no_obstacle() -> None:
    boot = Boot(A, "w", Life.LIVE, Place("h", "k"))
    turn = turn_of(boot, Stretch([Pulse(1 << 63, 0, 0, 0, 0, 0), Seal(9)], Position(0, 9), 9, ended=False))
    assert turn == Turn(A, Position(0, 0), Position(0, 9), 9, pulse_ns=INT64_MAX, sealed=True)


def test_segments_go_only_when_what_follows_them_is_posted_and_the_last_ones_stay(tmp_path: Path) -> None:
    desk = Desk(tmp_path, kept=1)
    names = []
    for number in range(4):
        desk.journal.tick(hold(f"r{number}"))
        desk.journal.next_segment()
    for _ in range(9):
        desk.turn()
        names.append(sorted(path.stem for path in desk.journal.directory.glob("*.seg")))
    assert names[0] == ["0", "1", "2", "3", "4"]
    assert names[-1] == ["3", "4"]
    desk.journal.die()


def test_a_turn_that_is_only_a_new_segment_moves_the_position(desk: Desk) -> None:
    desk.journal.tick(hold("r1"))
    desk.turn()
    desk.journal.next_segment()
    assert desk.turn().at.seg == 1
    assert desk.boot().at.seg == 1


def test_only_journals_of_this_directory_are_read(desk: Desk) -> None:
    desk.ledger.lender(Place("elsewhere", "kernel")).register(BootId("b" * 32), "w2")
    assert [boot.id for boot in desk.ingest.boots()] == [A]


class SlowBooks(MemoryBooks):
    """Books whose turns take 20 ms."""

    def post(self, turn: Turn) -> Posted | None:
        posted = super().post(turn)
        return Posted(20_000_000, posted.rejected) if posted else None


def test_turns_become_smaller_while_they_take_too_long_and_larger_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for number in range(400):
        desk.journal.tick(hold(f"r{number}"))
    slow = Ingest(desk.segments, SlowBooks(desk.ledger.memory), desk.clock, SQLITE_PACE)
    assert [slow.turn(desk.boot()).frames for _ in range(3)] == [200, 50, 20]
    quick = Ingest(desk.segments, desk.books, desk.clock, SQLITE_PACE)
    quick._most = 20
    assert [quick.turn(desk.boot()).frames for _ in range(3)] == [20, 26, 33]
    desk.journal.die()


async def test_a_round_gives_every_boot_one_turn(desk: Desk) -> None:
    for number in range(3):
        desk.journal.tick(hold(f"r{number}"))
    assert await desk.ingest.round() == 3
    assert await desk.ingest.round() == 0


async def test_it_goes_on_when_the_database_comes_back(desk: Desk) -> None:
    desk.books.away = True
    desk.journal.tick(hold("r1"), settle("r1"))
    done, loop = asyncio.Event(), asyncio.get_running_loop()
    desk.ingest._heard = lambda *_: (loop.call_soon_threadsafe(done.set), None)[1]
    running = asyncio.ensure_future(desk.ingest.forever())
    await asyncio.sleep(0.02)
    assert not done.is_set()
    desk.books.away = False
    await done.wait()
    running.cancel()
    assert desk.ledger.row(KEY).posted == 7
