"""The writer of the journal against its reader, on real files."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.adapters.storage import journal as module
from clavero.adapters.storage.journal import SegmentJournal
from clavero.adapters.storage.segments import Segments
from clavero.domain.ledger import BootId, Position
from clavero.domain.usage import Exchange
from clavero.wire.journal import Frame, Hold, Record, Seal, Settle, Unreadable

BOOT = BootId("b" * 32)


def silent(_event: str, _error: Exception) -> None:
    return


def settle(number: int) -> Settle:
    return Settle(f"h{number}", (("team/x:day", 0, number, number),), "", Exchange(f"h{number}", number))


def frames_of(root: Path) -> list[Frame | Unreadable]:
    segments, at, found = Segments(root), Position(0, 0), list[Frame | Unreadable]()
    while True:
        stretch = segments.read(BOOT, at, 1000)
        assert not stretch.damage
        if stretch.ended and not stretch.frames:
            return found
        found += stretch.frames
        at = stretch.to


async def test_frames_of_a_tick_are_on_file_before_what_waits_for_them_runs(tmp_path: Path) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    seen: list[int] = []
    for number in range(3):
        journal.append(settle(number), lambda: seen.append(len(frames_of(tmp_path))))
    assert seen == []
    await asyncio.sleep(0)
    assert seen == [3, 3, 3]
    journal.close(9)
    assert [type(frame) for frame in frames_of(tmp_path)] == [Settle, Settle, Settle, Seal]


async def test_one_callback_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    reported: list[str] = []
    journal = SegmentJournal(tmp_path, BOOT, "w", report=lambda event, _error: reported.append(event))
    seen: list[int] = []
    journal.append(settle(1), lambda: seen.append(1 // 0))
    journal.append(settle(2), lambda: seen.append(2))
    await asyncio.sleep(0)
    assert seen == [2]
    assert reported == ["journal_callback_failed"]
    journal.close(9)


async def test_segments_follow_each_other_without_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT", 4096)
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    for number in range(300):
        journal.append(settle(number))
        await asyncio.sleep(0 if number % 7 else 0.001)
    journal.close(9)
    found = frames_of(tmp_path)
    assert [frame.id for frame in found if isinstance(frame, Settle)] == [f"h{number}" for number in range(300)]
    assert len(list((tmp_path / BOOT).glob("*.seg"))) > 5


async def test_power_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = os.fdatasync

    def sync(file: int) -> None:
        order.append("disk")
        real(file)

    monkeypatch.setattr(os, "fdatasync", sync)
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent, power=True)
    done = asyncio.Event()

    def then() -> None:
        order.append("then")
        done.set()

    journal.append(settle(1), then)
    await done.wait()
    assert order == ["disk", "then"]
    journal.close(9)


async def test_a_full_disk_refuses_holds_and_loses_no_settlement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    journal.append(settle(1))
    await asyncio.sleep(0)
    real, full = os.pwrite, [True]

    def write(file: int, data: memoryview, at: int) -> int:
        if full:
            real(file, data[:7], at)  # a short write, then the disk is full
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data, at)

    monkeypatch.setattr(os, "pwrite", write)
    failed: list[str] = []
    journal.append(Hold("h2", 2, ()), lambda: failed.append("left"), lambda: failed.append("refused"))
    journal.append(settle(3))
    journal.append(Record(Exchange("r4", 4)))
    await asyncio.sleep(0)
    assert failed == ["refused"]
    assert journal.holds_refused
    full.clear()
    await asyncio.sleep(0.4)
    assert not journal.holds_refused
    journal.append(settle(5))
    await asyncio.sleep(0)
    journal.close(9)
    kept = [
        getattr(frame, "id", getattr(getattr(frame, "exchange", None), "request_id", "seal"))
        for frame in frames_of(tmp_path)
    ]
    assert kept == ["h1", "h3", "r4", "h5", "seal"]


async def test_the_lock_tells_the_living_from_the_dead(tmp_path: Path) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    with Segments(tmp_path).proof_of_death(BOOT) as dead:
        assert not dead
    journal.close(9)
    with Segments(tmp_path).proof_of_death(BOOT) as dead:
        assert dead


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, sys
from pathlib import Path
from clavero.adapters.storage.journal import SegmentJournal
from clavero.domain.usage import Exchange
from clavero.wire.journal import Settle

async def main():
    journal = SegmentJournal(Path({str(tmp_path)!r}), "{BOOT}", "w", report=lambda *_: None)
    for number in range(10**6):
        said = b"%d\\n" % number
        journal.append(Settle(f"h{{number}}", (), "", Exchange(f"h{{number}}", 1)), lambda said=said: os.write(1, said))
        await asyncio.sleep(0)

asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout
    for _ in range(500):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    said = 500 + len(process.stdout.read().splitlines())
    process.wait()
    process.stdout.close()
    found = [frame.id for frame in frames_of(tmp_path) if isinstance(frame, Settle)]
    assert len(found) >= said
    assert found == [f"h{number}" for number in range(len(found))]
