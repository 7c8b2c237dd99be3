"""Everything that hears of frames once they are posted: counters for scrapers, the tail for watchers."""

from collections.abc import Sequence

from msgspec import Struct

from clavero.domain.ledger import BootId
from clavero.entrypoints.http.admin.meter import Meter
from clavero.entrypoints.http.tail import Tail
from clavero.ports import Clock
from clavero.wire.journal import Frame, Unreadable


class Hearing(Struct, frozen=True):
    """Who hears; wired once for a process."""

    meter: Meter
    tail: Tail

    def heard(self, boot: BootId, frames: Sequence[Frame | Unreadable]) -> None:
        """Tell each of them; give this to `Ingest`."""
        self.meter.heard(boot, frames)
        self.tail.heard(boot, frames)


def hearing_at(clock: Clock) -> Hearing:
    """All of them, having heard nothing yet."""
    return Hearing(Meter(clock), Tail(clock))
