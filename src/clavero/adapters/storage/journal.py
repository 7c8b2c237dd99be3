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
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from clavero.domain.ledger import BootId
from clavero.wire.journal import Frame, Header, Hold, Record, Seal, Settle, encode_block, encode_header

SEGMENT = 16 * 1024 * 1024
MOST_BACKLOG = 64  # segments that may wait for ingest: 1 GiB
MOST_QUEUED = 20_000  # frames kept in memory while nothing can be written; beyond it, free exchanges leave no row
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
    """The `Journal` of one boot on local disk; `kept` is how many read segments its reader leaves in place."""

    def __init__(
        self, root: Path, boot: BootId, worker: str, *, report: Report, power: bool = False, kept: int = 4
    ) -> None:
        self._directory = root / boot
        self._boot = boot
        self._worker = worker
        self._report = report
        self._power = power
        self._most_segments = MOST_BACKLOG + kept
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = ThreadPoolExecutor(1, "journal")
        self._queue: list[Entry] = []
        self._armed = False
        self._retry: asyncio.TimerHandle | None = None
        self._broken = False  # the last write failed
        self._torn = False  # and what it left could not be cut off
        self._backlog = False
        self._next: int | None = None  # descriptor of the preallocated next segment
        self._making: Future[int] | None = None
        self._short = False  # there was no room for it
        self._retired: list[int] = []  # descriptors of older segments that the disk does not have whole yet
        self._unsynced: list[Entry] = []
        self._syncing = False
        self._closed = False
        self._number = 0
        self.written = 0
        self._directory.mkdir(mode=0o700, parents=True)
        self._lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file = self._allocate(0)
        self._position = self._begin(self._file, 0, 0)

    @property
    def holds_refused(self) -> bool:
        """True while a write has failed, too much waits for ingest, or there is no room for a next segment."""
        return self._broken or self._backlog or (self._short and self._position > SEGMENT // 2)

    def append(self, frame: Frame, then: Then | None = None, failed: Then | None = None) -> None:
        """Queue a frame for this tick's write; `then` runs once it is on file.

        Where it cannot be written now, `failed` runs: a hold is given up, a settlement stays queued.
        """
        self._queue.append(Entry(frame, then, failed))
        if not self._armed:
            self._armed = True
            self._loop = self._loop or asyncio.get_running_loop()
            self._loop.call_soon(self._flush)

    def watch(self) -> None:
        """Look, once a second, at what waits for ingest, and whether the next segment is ready."""
        numbers = [int(path.stem) for path in self._directory.glob("*.seg")]
        self._backlog = self._number - min(numbers, default=0) >= self._most_segments
        self._prepare()

    def close(self, now_ns: int) -> None:
        """Write what is queued and the seal (L25), give back what was preallocated, let the lock go."""
        self._queue.append(Entry(Seal(now_ns), None, None))
        self._flush()
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        self._thread.shutdown(wait=True)
        try:
            os.ftruncate(self._file, self._position)
            self._sync(self._retired, self._file)
        except OSError as error:
            self._report("journal_close_failed", error)
        self._release(self._unsynced)
        os.close(self._file)
        self._drop_next()
        os.close(self._lock)

    # --- writing

    def _flush(self) -> None:
        self._armed = False
        entries, self._queue = self._queue, []
        if self._closed or not entries:
            return
        data = self._encode(entries)
        try:
            self._put(data)
        except OSError as error:
            self._refuse(entries, error)
            return
        self._broken = False
        self._prepare()
        if self._power:
            self._unsynced += entries
            self._start_sync()
        else:
            self._release(entries)

    def _encode(self, entries: list[Entry]) -> bytes:
        """One block; a frame that cannot be encoded costs only itself, and what waits for it hears so."""
        try:
            return encode_block([entry.frame for entry in entries])
        except (ValueError, OverflowError, TypeError):
            return b"".join(self._encode_one(entry) for entry in entries)

    def _encode_one(self, entry: Entry) -> bytes:
        try:
            return encode_block([entry.frame])
        except (ValueError, OverflowError, TypeError) as error:
            self._report("journal_frame_lost", error)
            if isinstance(entry.frame, Hold | Settle):
                entry.then = None  # its money is not free: nobody has heard of this frame
            self._run(entry.failed)
            return b""

    def _put(self, data: bytes) -> None:
        if self._torn:
            self._cut()
        if self._position + len(data) > SEGMENT:
            self._roll()
        view, at = memoryview(data), self._position
        try:
            while view:
                count = os.pwrite(self._file, view, at)
                view, at = view[count:], at + count
        except OSError:
            self._torn = True
            self._cut()
            raise
        self._position = at
        self.written += len(data)

    def _cut(self) -> None:
        """Cut off a torn block: nothing is ever appended behind one (L9). The room behind it is taken again."""
        os.ftruncate(self._file, self._position)
        self._torn = False
        with contextlib.suppress(OSError):
            os.posix_fallocate(self._file, 0, SEGMENT)

    def _release(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.then is not None:
                self._run(entry.then)

    def _run(self, callback: Then | None) -> None:
        """One exchange's failure never stops the others of its tick."""
        if callback is None:
            return
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - the callers are strangers to each other
            self._report("journal_callback_failed", error)

    def _refuse(self, entries: list[Entry], error: OSError) -> None:
        """Give the holds up, keep everything else in order, and try again soon.

        A settlement's `then` waits for its frame, because what is left over is not free before (L12).
        """
        if not self._broken:
            self._report("journal_write_failed", error)
        self._broken = True
        kept: list[Entry] = []
        for entry in entries:
            failed, entry.failed = entry.failed, None
            if isinstance(entry.frame, Settle):
                kept.append(entry)
            elif not isinstance(entry.frame, Hold):
                failed, entry.then = entry.then, None
                if len(kept) < MOST_QUEUED or not isinstance(entry.frame, Record):
                    kept.append(entry)
            self._run(failed)
        self._queue = kept + self._queue
        if self._retry is None and self._loop is not None and not self._closed:
            self._retry = self._loop.call_later(_RETRY_SECONDS, self._again)

    def _again(self) -> None:
        self._retry = None
        self._flush()

    # --- power: the disk has it

    def _start_sync(self) -> None:
        """Ask the disk for all that was written by now; what comes meanwhile shares the next turn."""
        if self._syncing or self._loop is None:
            return
        self._syncing = True
        entries, self._unsynced = self._unsynced, []
        retired, self._retired = self._retired, []
        synced = self._loop.run_in_executor(self._thread, self._sync, retired, self._file)
        synced.add_done_callback(lambda done: self._synced(entries, done.exception()))

    def _sync(self, retired: Iterable[int], file: int) -> None:
        for old in retired:
            try:
                os.fdatasync(old)
            finally:
                os.close(old)
        os.fdatasync(file)

    def _synced(self, entries: list[Entry], error: BaseException | None) -> None:
        self._syncing = False
        if isinstance(error, Exception):
            self._report("journal_sync_failed", error)
            self._broken = True  # until a later write and its turn at the disk go well
            for entry in entries:
                hold = isinstance(entry.frame, Hold)
                self._run(entry.failed if hold else entry.then)
        else:
            self._release(entries)
        if self._unsynced and not self._closed:
            self._start_sync()

    # --- segments

    def _allocate(self, number: int) -> int:
        path = self._path(number)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, SEGMENT)
            if self._power:
                self._keep_name(file)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        return file

    def _keep_name(self, file: int) -> None:
        os.fsync(file)
        directory = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _begin(self, file: int, number: int, previous: int) -> int:
        """Write a segment's header; returns where its first block goes."""
        header = encode_header(Header(self._boot, self._worker, 0, number, previous))
        if os.pwrite(file, header, 0) < len(header):
            raise OSError("a header was written short")
        return len(header)

    def _roll(self) -> None:
        """Go on in the next segment, whose header says how much of this one is good."""
        if self._making is not None:
            self._take_made(self._making)
        if self._next is None:
            self._next = self._allocate(self._number + 1)
        following = self._next
        position = self._begin(following, self._number + 1, self._position)
        if self._power:
            self._retired.append(self._file)  # the disk is asked for it before anything behind it counts
        else:
            os.close(self._file)
        self._file, self._next = following, None
        self._number += 1
        self._position = position

    def _prepare(self) -> None:
        """Preallocate the next segment, in the journal's own thread, long before this one is full."""
        if self._making is not None:
            if self._making.done():
                self._take_made(self._making)
        elif self._next is None and not self._closed and self._position > SEGMENT // 4:
            self._making = self._thread.submit(self._allocate, self._number + 1)

    def _take_made(self, making: "Future[int]") -> None:
        self._making = None
        try:
            self._next = making.result()
            self._short = False
        except OSError as error:
            if not self._short:
                self._report("journal_next_segment", error)
            self._short = True

    def _drop_next(self) -> None:
        if self._making is not None:
            self._take_made(self._making)
        if self._next is not None:
            os.close(self._next)
            self._path(self._number + 1).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number}.seg"
