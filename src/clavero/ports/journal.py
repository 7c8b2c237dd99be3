"""The journal as its one writer and as its one reader see it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from clavero.domain.ledger import BootId, Place, Position
from clavero.wire.journal import Frame, Unreadable


class Journal(Protocol):
    """Where a worker writes what must not be lost. One owner, one thread: the loop's."""

    @property
    def written(self) -> int:
        """Bytes of frames on file, all segments of this boot."""
        ...

    @property
    def holds_refused(self) -> bool:
        """True while the disk is full or too much waits for ingest: no new holds, settlements still."""
        ...

    def append(
        self, frame: Frame, then: Callable[[], None] | None = None, failed: Callable[[], None] | None = None
    ) -> None:
        """Queue a frame for this tick's write; `then` runs once it is on file, in order.

        Never raises for the disk. Where a frame cannot be written now, `failed` runs: a hold is given up, though it may
        be on file; a settlement stays queued and its `then` waits; of anything else `then` does not wait.
        """
        ...

    def close(self, now_ns: int) -> None:
        """Write the seal and end (L25)."""
        ...


class Stretch(Struct, frozen=True):
    """A piece of a journal: its frames, where the next begins, and whether nothing more is there for now."""

    frames: Sequence[Frame | Unreadable]
    to: Position
    size: int  # bytes of blocks
    ended: bool
    damage: str = ""  # something is missing or broken that is not a torn tail; nothing can be read behind it


class Journals(Protocol):
    """The journals that boots wrote into one directory, as their reader sees them. Blocking."""

    @property
    def place(self) -> Place:
        """Which directory on which running kernel."""
        ...

    def read(self, boot: BootId, at: Position, most: int) -> Stretch:
        """Whole blocks from a position on, at least one and about `most` frames."""
        ...

    def proof_of_death(self, boot: BootId, *, rebooted: bool = False) -> AbstractContextManager[bool]:
        """True, and it stays true, where the boot's lock is free: it holds it for life.

        A lock file that is gone proves nothing, unless its machine has started anew since.
        """
        ...

    def remove(self, boot: BootId, below: int) -> None:
        """Remove the segments with a lower number."""
        ...

    def boots(self) -> Sequence[BootId]:
        """Whose journals are here, closed or not, known to the database or not."""
        ...

    def tidy(self, keep: int, closed: Collection[BootId]) -> None:
        """Remove what these boots left, but for the newest segments of them all."""
        ...

    def discard(self, boot: BootId) -> None:
        """Remove the journal of a dead boot that no database knows, if nothing was ever written there."""
        ...
