"""The ledger as a worker sees it, and as ingest and reclaim see it."""

from collections.abc import Collection, Sequence
from typing import Protocol

from clavero.domain.ledger import Boot, BootId, Position, Talk, Terms
from clavero.domain.posting import Posted, Turn


class Lender(Protocol):
    """The ledger as a worker sees it. Blocking: it is called in a thread of its own, one call at a time (L11).

    Every method raises `ConnectionError` where the outcome is unknown or the database is away.
    """

    def register(self, boot: BootId, worker: str) -> int:
        """Make the boot known before its first borrow (L1); returns the incarnation."""
        ...

    def talk(self, talk: Talk) -> Terms:
        """One transaction of returns, acknowledgements and asks; `Fenced` where the boot is not live."""
        ...

    def close(self) -> None: ...


class Books(Protocol):
    """The ledger as ingest and reclaim see it: each method one transaction. Blocking, one call at a time.

    Every method raises `ConnectionError` where the outcome is unknown or the database is away.
    """

    def boots(self) -> tuple[int, Sequence[Boot]]:
        """The database's clock, UTC nanoseconds, and every boot that is not closed."""
        ...

    def closed(self, boots: Collection[BootId]) -> set[BootId]:
        """Which of these boots are closed: their journals were read to the end."""
        ...

    def post(self, turn: Turn) -> Posted | None:
        """Post a turn if its journal is still read up to where it begins; None where somebody was faster."""
        ...

    def write_off(self, boot: BootId, silent_ns: int) -> bool:
        """Write off the share of a live boot that has been silent for longer (L28); False where it has not."""
        ...

    def close_boot(self, boot: BootId, at: Position, *, complete: bool) -> bool:
        """Close a dead boot whose journal is read to the end (L27, L29); False where more was read since."""
        ...

    def sweep(self) -> None:
        """Forget old wants, and archive what nothing is leased from: rows of deleted budgets, old ones in excess."""
        ...

    def close(self) -> None: ...
