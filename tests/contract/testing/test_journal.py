"""What everybody may rely on who queues a frame: one suite for the writer on disk and its twin in memory."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clavero.adapters.storage.journal import SegmentJournal
from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.ports.journal import Journal
from clavero.testing.journal import MemoryJournal
from clavero.wire.journal import Hold, Record, Settle

HOLD = Hold("h", 1, ())
SETTLE = Settle("h", (), "", Exchange("h", 1))
RECORD = Record(Exchange("r", 1))

Made = tuple[Journal, Callable[[bool], None]]  # a journal, and a switch that fills its disk


@pytest.fixture(params=["disk", "memory"])
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    if request.param == "memory":
        memory = MemoryJournal()

        def fill_memory(full: bool) -> None:
            memory.full = full

        yield memory, fill_memory
        return
    journal, state, real = SegmentJournal(tmp_path, BootId("b" * 32), "w", report=lambda *_: None), [False], os.pwrite

    def write(file: int, data: bytes, at: int) -> int:
        if state[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data, at)

    def fill(full: bool) -> None:
        state[0] = full

    monkeypatch.setattr(os, "pwrite", write)
    yield journal, fill
    if not journal._closed:
        journal.close(9)


def saying(seen: list[str], word: str) -> Callable[[], None]:
    return lambda: seen.append(word)


async def test_what_waits_runs_after_the_tick_in_order(made: Made) -> None:
    journal, _ = made
    seen: list[str] = []
    before = journal.written
    journal.append(HOLD, saying(seen, "1"))
    journal.append(SETTLE, saying(seen, "2"))
    assert (seen, journal.written) == ([], before)
    await asyncio.sleep(0)
    assert seen == ["1", "2"]
    assert journal.written > before


async def test_one_that_fails_stops_nobody(made: Made) -> None:
    journal, _ = made
    seen: list[str] = []
    journal.append(HOLD, lambda: seen.append(str(1 // 0)))
    journal.append(SETTLE, saying(seen, "2"))
    await asyncio.sleep(0)
    assert seen == ["2"]


async def test_a_frame_queued_by_what_waited_is_written_in_the_next_tick(made: Made) -> None:
    journal, _ = made
    seen: list[str] = []
    journal.append(HOLD, lambda: journal.append(SETTLE, saying(seen, "settled")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == ["settled"]


async def test_while_the_disk_is_full_holds_are_refused_and_settlements_wait(made: Made) -> None:
    journal, fill = made
    seen: list[str] = []
    fill(True)
    journal.append(HOLD, saying(seen, "hold left"), saying(seen, "hold refused"))
    journal.append(SETTLE, saying(seen, "slack"), saying(seen, "answered"))
    journal.append(RECORD, saying(seen, "told"), saying(seen, "never"))
    await asyncio.sleep(0)
    assert seen == ["hold refused", "answered", "told"]
    states = [journal.holds_refused]
    fill(False)
    journal.append(RECORD)
    await asyncio.sleep(0)
    states.append(journal.holds_refused)
    assert states == [True, False]
    assert seen == ["hold refused", "answered", "told", "slack"]


async def test_the_end_writes_what_is_queued(made: Made) -> None:
    journal, _ = made
    seen: list[str] = []
    journal.append(SETTLE, saying(seen, "written"))
    journal.close(9)
    assert seen == ["written"]


def test_by_hand_nothing_is_written_until_told() -> None:
    journal = MemoryJournal(by_hand=True)
    journal.append(SETTLE)
    assert journal.frames == []
    journal.flush()
    assert journal.frames == [SETTLE]
