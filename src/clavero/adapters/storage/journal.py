"""The journal's writer: one boot, one directory, segments of 16 MiB that are there before they are needed.

Frames are queued in the order of the memory changes and written once a tick (L8). What waited for a frame runs when its
write has returned, or, with `power`, when the disk has it. After a failed write nothing is appended behind a torn
frame: the file is cut back to the last good one, frames of holds are refused, and settlements stay queued until there
is room again (L9). The lock on the directory is held for life (L1): who gets it knows that this boot is dead.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clavero.domain.ledger import BootId
from clavero.wire.journal import Frame, Header, Hold, Seal, encode_block, encode_header

SEGMENT = 16 * 1024 * 1024
MOST_BACKLOG = 64  # segments that may wait for ingest: 1 GiB
_RETRY_SECONDS = 0.25

Then = Callable[[], None]
Report = Callable[[str, Exception], None]


class Entry:
    """A frame on its way to the file, and what waits for it."""

    __slots__ = ("failed", "frame", "then")

    def __init__(self, frame: Frame, then: Then | None, failed: Then | None) -> None:
        self.frame = frame
        self.then = then
        self.failed = failed


class SegmentJournal:
    """The `Journal` of one boot on local disk."""

    def __init__(self, root: Path, boot: BootId, worker: str, *, report: Report, power: bool = False) -> None:
        self._directory = root / boot
        self._boot = boot
        self._worker = worker
        self._report = report
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = ThreadPoolExecutor(1, "journal")
        self._power = power
        self._queue: list[Entry] = []
        self._armed = False
        self._trouble = False
        self._next: int | None = None  # descriptor of the preallocated next segment
        self._preparing = False
        self._number = 0
        self._previous = 0
        self.incarnation = 0
        self.written = 0
        self._directory.mkdir(mode=0o700, parents=True)
        self._lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file = self._allocate(0)
        self._position = self._begin()

    @property
    def holds_refused(self) -> bool:
        """True while the disk is full, a write has failed, or too much waits for ingest."""
        return self._trouble

    def append(self, frame: Frame, then: Then | None = None, failed: Then | None = None) -> None:
        """Queue a frame for this tick's write; `then` runs once it is on file, `failed` if a hold cannot be written."""
        self._queue.append(Entry(frame, then, failed))
        if not self._armed:
            self._armed = True
            self._loop = self._loop or asyncio.get_running_loop()
            self._loop.call_soon(self._flush)

    def watch(self) -> None:
        """Look once a second at what waits for ingest, and prepare the next segment in time."""
        numbers = [int(path.stem) for path in self._directory.glob("*.seg")]
        backlog = self._number - min(numbers, default=0)
        self._trouble = self._trouble_now() or backlog >= MOST_BACKLOG
        if self._next is None and self._position > SEGMENT // 2:
            self._prepare()

    def close(self, now_ns: int) -> None:
        """Write what is queued and the seal (L25), give back what was preallocated, let the lock go."""
        self._queue.append(Entry(Seal(now_ns), None, None))
        self._flush()
        self._thread.shutdown(wait=True)
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._position)
            os.fsync(self._file)
        os.close(self._file)
        if self._next is not None:
            os.close(self._next)
            (self._directory / f"{self._number + 1}.seg").unlink(missing_ok=True)
        os.close(self._lock)

    # --- writing

    def _flush(self) -> None:
        self._armed = False
        entries, self._queue = self._queue, []
        if not entries:
            return
        data = self._encode(entries)
        try:
            if self._position + len(data) > SEGMENT:
                self._roll()
            self._write(data)
        except OSError as error:
            self._refuse(entries, error)
            return
        self.written += len(data)
        if self._trouble:
            self._trouble = self._trouble_now()
        if self._next is None and self._position > SEGMENT // 2:
            self._prepare()
        if self._power and self._loop is not None:
            synced = self._loop.run_in_executor(self._thread, os.fdatasync, self._file)
            synced.add_done_callback(lambda _done: self._release(entries))
        else:
            self._release(entries)

    def _encode(self, entries: list[Entry]) -> bytes:
        """One block; a frame that cannot be encoded is reported and costs only itself."""
        try:
            return encode_block([entry.frame for entry in entries])
        except (ValueError, OverflowError, TypeError):
            return b"".join(self._encode_one(entry) for entry in entries)

    def _encode_one(self, entry: Entry) -> bytes:
        try:
            return encode_block([entry.frame])
        except (ValueError, OverflowError, TypeError) as error:
            self._report("journal_frame_lost", error)
            return b""

    def _write(self, data: bytes) -> None:
        """Write all of it behind the last good frame; the position moves only when it is whole."""
        view, at = memoryview(data), self._position
        try:
            while view:
                count = os.pwrite(self._file, view, at)
                view, at = view[count:], at + count
        except OSError:
            os.ftruncate(self._file, self._position)  # nothing is ever appended behind a torn frame (L9)
            raise
        self._position = at

    def _release(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.then is not None:
                self._run(entry.then)

    def _run(self, callback: Then) -> None:
        """One exchange's failure never stops the others of its tick."""
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - the callers are strangers to each other
            self._report("journal_callback_failed", error)

    def _refuse(self, entries: list[Entry], error: OSError) -> None:
        """Fail the holds, keep everything else in order, and try again soon."""
        if not self._trouble:
            self._report("journal_write_failed", error)
        self._trouble = True
        kept = [entry for entry in entries if not isinstance(entry.frame, Hold)]
        for entry in entries:
            if isinstance(entry.frame, Hold) and entry.failed is not None:
                self._run(entry.failed)
        for entry in kept:  # the money is spent and its hold is on file: the caller gets the answer
            if entry.then is not None:
                self._run(entry.then)
                entry.then = None
        self._queue = kept + self._queue
        if not self._armed and self._loop is not None:
            self._armed = True
            self._loop.call_later(_RETRY_SECONDS, self._flush)

    # --- segments

    def _allocate(self, number: int) -> int:
        file = os.open(self._directory / f"{number}.seg", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, SEGMENT)
        except OSError:
            os.close(file)
            (self._directory / f"{number}.seg").unlink(missing_ok=True)
            raise
        return file

    def _begin(self) -> int:
        header = encode_header(Header(self._boot, self._worker, self.incarnation, self._number, self._previous))
        os.pwrite(self._file, header, 0)
        return len(header)

    def _roll(self) -> None:
        """Go on in the next segment, whose header says how much of this one is good."""
        following = self._next if self._next is not None else self._allocate(self._number + 1)
        os.close(self._file)
        self._file, self._next = following, None
        self._number += 1
        self._previous = self._position
        self._position = self._begin()

    def _prepare(self) -> None:
        """Preallocate the next segment in the journal's own thread; until it is there, a full disk refuses holds."""
        if self._preparing or self._loop is None:
            return
        self._preparing = True
        made = self._loop.run_in_executor(self._thread, self._allocate, self._number + 1)
        made.add_done_callback(self._prepared)

    def _prepared(self, made: "asyncio.Future[int]") -> None:
        self._preparing = False
        error = made.exception()
        if error is None:
            self._next = made.result()
        elif isinstance(error, OSError):
            if not self._trouble:
                self._report("journal_next_segment", error)
            self._trouble = True

    def _trouble_now(self) -> bool:
        """Whether the reason to refuse holds is still there: no next segment though this one is half full."""
        return self._next is None and self._position > SEGMENT // 2 and not self._preparing
