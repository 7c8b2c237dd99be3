"""The journal in memory: what its writer does to those who wait for it, without a disk.

`full` makes every write fail until it is taken back; `by_hand` lets a test write when it wants to, tick by tick.
"""

import asyncio
from collections.abc import Callable

from clavero.wire.journal import Frame, Hold, Seal, Settle, encode_block

Then = Callable[[], None]


class MemoryJournal:
    """The `Journal` of one boot; `frames` is what a reader would find."""

    def __init__(self, *, by_hand: bool = False) -> None:
        self.frames: list[Frame] = []
        self.written = 0
        self.full = False
        self.failures: list[Exception] = []  # of callbacks: one never stops the others
        self._by_hand = by_hand
        self._broken = False
        self._armed = False
        self._queue: list[tuple[Frame, Then | None, Then | None]] = []

    @property
    def holds_refused(self) -> bool:
        """True while the last write has failed."""
        return self._broken

    def append(self, frame: Frame, then: Then | None = None, failed: Then | None = None) -> None:
        """Queue a frame for this tick's write."""
        self._queue.append((frame, then, failed))
        if not self._by_hand and not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what is queued, or fail to."""
        self._armed = False
        entries, self._queue = self._queue, []
        if self.full:
            self._broken = True
            self._queue = [kept for entry in entries if (kept := self._refuse(*entry))] + self._queue
            return
        self._broken = False
        self.frames += [frame for frame, _, _ in entries]
        self.written += len(encode_block([frame for frame, _, _ in entries]))
        for _, then, _ in entries:
            self._run(then)

    def close(self, now_ns: int) -> None:
        """Write the seal and end (L25)."""
        self.append(Seal(now_ns))
        self.flush()

    def _refuse(self, frame: Frame, then: Then | None, failed: Then | None) -> tuple[Frame, Then | None, None] | None:
        """A hold is given up, a settlement waits with what it frees, nothing else makes anybody wait."""
        if isinstance(frame, Settle):
            self._run(failed)
            return frame, then, None
        if isinstance(frame, Hold):
            self._run(failed)
            return None
        self._run(then)
        return frame, None, None

    def _run(self, callback: Then | None) -> None:
        try:
            if callback is not None:
                callback()
        except Exception as error:  # noqa: BLE001 - the callers are strangers to each other
            self.failures.append(error)
