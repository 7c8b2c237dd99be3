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
    states = [journal.holds_refused]
    full.clear()
    await asyncio.sleep(0.4)
    states.append(journal.holds_refused)
    assert states == [True, False]
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


class Disk:
    """Stands between the journal and the kernel; each fault is switched on by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = self.slow = self.stuck = False
        self.syncs = 0
        self.broken_sync = False
        real_write, real_cut, real_sync = os.pwrite, os.ftruncate, os.fdatasync

        def write(file: int, data: bytes, at: int) -> int:
            if self.full:
                real_write(file, bytes(data[: len(data) // 2]), at)
                raise OSError(errno.ENOSPC, "No space left on device")
            return real_write(file, bytes(data[:5]) if self.slow else data, at)

        def cut(file: int, size: int) -> None:
            if self.stuck:
                raise OSError(errno.EIO, "Input/output error")
            real_cut(file, size)

        def sync(file: int) -> None:
            self.syncs += 1
            if self.broken_sync:
                raise OSError(errno.EIO, "Input/output error")
            real_sync(file)

        monkeypatch.setattr(os, "pwrite", write)
        monkeypatch.setattr(os, "ftruncate", cut)
        monkeypatch.setattr(os, "fdatasync", sync)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def ids_of(root: Path) -> list[str]:
    return [getattr(frame, "id", type(frame).__name__) for frame in frames_of(root)]


async def test_slack_waits_for_the_settlement_on_file_but_the_answer_does_not(tmp_path: Path, disk: Disk) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    disk.full = True
    seen: list[str] = []
    journal.append(settle(1), lambda: seen.append("slack"), lambda: seen.append("answer"))
    journal.append(Record(Exchange("r2", 2)), lambda: seen.append("refusal told"))
    await asyncio.sleep(0.3)
    assert seen == ["answer", "refusal told"]
    disk.full = False
    await asyncio.sleep(0.3)
    assert seen == ["answer", "refusal told", "slack"]
    journal.close(9)
    assert ids_of(tmp_path) == ["h1", "Record", "Seal"]


async def test_while_a_torn_frame_cannot_be_cut_off_nothing_goes_behind_it(tmp_path: Path, disk: Disk) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    journal.append(settle(1))
    await asyncio.sleep(0)
    disk.full = disk.stuck = True
    journal.append(settle(2))
    await asyncio.sleep(0)
    disk.full = False  # writing would go well now, but the torn block is still there
    refused: list[str] = []
    journal.append(Hold("h3", 3, ()), lambda: refused.append("left"), lambda: refused.append("refused"))
    await asyncio.sleep(0)
    assert (journal.holds_refused, refused) == (True, ["refused"])
    assert ids_of(tmp_path) == ["h1"]
    disk.stuck = False
    await asyncio.sleep(0.3)
    assert not journal.holds_refused
    journal.close(9)
    assert ids_of(tmp_path) == ["h1", "h2", "Seal"]


async def test_a_write_that_the_kernel_does_in_pieces_is_completed(tmp_path: Path, disk: Disk) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    disk.slow = True
    journal.append(settle(1))
    await asyncio.sleep(0)
    journal.close(9)
    assert ids_of(tmp_path) == ["h1", "Seal"]


async def test_a_segment_that_cannot_be_begun_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    monkeypatch.setattr(module, "SEGMENT", 2048)
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    for number in range(30):
        disk.full = number % 5 == 4
        journal.append(settle(number))
        await asyncio.sleep(0)
    disk.full = False
    await asyncio.sleep(0.3)
    journal.close(9)
    assert ids_of(tmp_path) == [*(f"h{number}" for number in range(30)), "Seal"]


async def test_no_room_for_a_next_segment_refuses_holds_before_this_one_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    journal = SegmentJournal(tmp_path, BOOT, "w", report=lambda event, _error: reported.append(event))
    real, full = os.posix_fallocate, [True]

    def allocate(file: int, start: int, size: int) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, start, size)

    monkeypatch.setattr(os, "posix_fallocate", allocate)
    journal._position = module.SEGMENT // 2 + 1  # as if half of it were written
    journal._prepare()
    journal._thread.submit(str).result()
    journal.watch()
    assert (journal.holds_refused, reported) == (True, ["journal_next_segment"])
    full.clear()
    journal.watch()
    journal._thread.submit(str).result()
    journal.watch()
    assert not journal.holds_refused
    journal.close(9)


async def test_more_than_a_gibibyte_that_waits_for_ingest_refuses_holds(tmp_path: Path) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent, kept=2)
    journal._number = 66
    states = []
    journal.watch()
    states.append(journal.holds_refused)
    (tmp_path / BOOT / "0.seg").rename(tmp_path / BOOT / "1.seg")  # its reader got on by one
    journal.watch()
    states.append(journal.holds_refused)
    assert states == [True, False]
    journal._number = 0
    journal.close(9)


async def test_ticks_share_a_turn_at_the_disk_and_a_failed_turn_lets_no_call_leave(tmp_path: Path, disk: Disk) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent, power=True)
    seen: list[str] = []
    for number in range(20):
        journal.append(settle(number), lambda: seen.append("written"))
        await asyncio.sleep(0)
    last = asyncio.Event()
    journal.append(settle(20), last.set)
    await last.wait()
    assert len(seen) == 20
    assert disk.syncs < 20
    disk.broken_sync = True
    ended = asyncio.Event()
    journal.append(Hold("h9", 9, ()), lambda: seen.append("left"), ended.set)
    await ended.wait()
    assert journal.holds_refused
    assert "left" not in seen
    disk.broken_sync = False
    journal.close(9)


async def test_with_power_every_segment_is_on_the_disk_before_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    monkeypatch.setattr(module, "SEGMENT", 2048)
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent, power=True)
    seen: list[int] = []
    for number in range(60):
        journal.append(settle(number), lambda number=number: seen.append(number))  # type: ignore[misc]  # the default
        await asyncio.sleep(0.001)
    last = asyncio.Event()
    journal.append(settle(60), last.set)
    await last.wait()
    journal.close(9)
    assert seen == list(range(60))
    assert ids_of(tmp_path) == [*(f"h{number}" for number in range(61)), "Seal"]
    assert disk.syncs > 5


async def test_a_frame_that_cannot_be_written_at_all_costs_only_itself(tmp_path: Path) -> None:
    reported: list[str] = []
    journal = SegmentJournal(tmp_path, BOOT, "w", report=lambda event, _error: reported.append(event))
    seen: list[str] = []
    journal.append(settle(1), lambda: seen.append("1"))
    journal.append(Hold("h2", 1 << 70, ()), lambda: seen.append("left"), lambda: seen.append("refused"))
    journal.append(Settle("h3", (), "", Exchange("h3", 1 << 70)), lambda: seen.append("slack"))
    journal.append(settle(4), lambda: seen.append("4"))
    await asyncio.sleep(0)
    journal.close(9)
    assert sorted(seen) == ["1", "4", "refused"]
    assert reported == ["journal_frame_lost"] * 2
    assert ids_of(tmp_path) == ["h1", "h4", "Seal"]


async def test_room_is_taken_ahead_and_given_back_at_the_end(tmp_path: Path) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    path = tmp_path / BOOT / "0.seg"
    assert path.stat().st_size == module.SEGMENT
    journal.append(settle(1))
    await asyncio.sleep(0)
    written = journal.written
    journal.close(9)
    assert written < path.stat().st_size < 1000


async def test_a_stop_while_nothing_can_be_written_ends_and_says_so(tmp_path: Path, disk: Disk) -> None:
    reported: list[str] = []
    journal = SegmentJournal(tmp_path, BOOT, "w", report=lambda event, _error: reported.append(event))
    journal.append(settle(1))
    await asyncio.sleep(0)
    disk.full = True
    journal.append(settle(2))
    await asyncio.sleep(0)
    journal.close(9)
    assert reported == ["journal_write_failed"]
    assert ids_of(tmp_path) == ["h1"]


async def test_a_boot_has_one_writer(tmp_path: Path) -> None:
    journal = SegmentJournal(tmp_path, BOOT, "w", report=silent)
    with pytest.raises(OSError, match="exists"):
        SegmentJournal(tmp_path, BOOT, "w", report=silent)
    journal.close(9)
