"""A journal that is written at once, frame by frame or tick by tick: for tests of whoever reads it.

It holds its lock as a living worker does; `die` lets go of it and leaves the files as they are.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from clavero.domain.ledger import BootId
from clavero.wire.journal import Frame, Header, encode_block, encode_header


class PlainJournal:
    """The `Journal` of one boot in `<root>/<boot>/`, without preallocation, threads or mercy for a full disk."""

    def __init__(self, root: Path, boot: BootId, first: int = 0) -> None:
        self.boot = boot
        self.directory = root / boot
        self.directory.mkdir(parents=True)
        self.number = first
        self.written = 0
        self.holds_refused = False
        self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._alive = True
        self._good = 0
        self._begin(previous=0)

    @property
    def path(self) -> Path:
        """The segment that is written to."""
        return self.directory / f"{self.number}.seg"

    def append(self, frame: Frame, then: Callable[[], None] | None = None) -> None:
        """Write one frame as a tick of its own."""
        self.tick(frame)
        if then:
            then()

    def tick(self, *frames: Frame) -> None:
        """Write the frames of one tick as one block."""
        self.raw(encode_block(frames))
        self._good = self.path.stat().st_size
        self.written += len(encode_block(frames))

    def raw(self, data: bytes) -> None:
        """Write bytes as they are: torn blocks, zeros."""
        with self.path.open("ab") as file:
            file.write(data)

    def next_segment(self) -> None:
        """Begin the next segment."""
        self.number += 1
        self._begin(previous=self._good)

    def die(self) -> None:
        """Let go of the lock, as a killed process does."""
        if self._alive:
            self._alive = False
            os.close(self._lock)

    def close(self) -> None:
        """The same: nothing is queued."""
        self.die()

    def _begin(self, previous: int) -> None:
        self.raw(encode_header(Header(self.boot, "w", 1, self.number, previous)))
        self._good = self.path.stat().st_size
