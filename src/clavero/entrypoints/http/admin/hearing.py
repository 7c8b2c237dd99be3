"""Everything that hears of frames once they are posted: counters, the tail, the last minute, an alarm."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.admin.meter import Meter, overran
from clavero.entrypoints.http.admin.recent import Recent
from clavero.entrypoints.http.tail import Tail
from clavero.ports.clock import Clock
from clavero.wire.journal import Frame, Settle, Unreadable

Alarm = Callable[[Exchange], None]


class Hearing(Struct, frozen=True):
    """Who hears; wired once for a process. `overrun` is told of calls that were billed above their hold."""

    meter: Meter
    tail: Tail
    recent: Recent
    overrun: Alarm

    def heard(self, boot: BootId, frames: Sequence[Frame | Unreadable]) -> None:
        """Tell each of them; give this to `Ingest`."""
        self.meter.heard(boot, frames)
        self.tail.heard(boot, frames)
        self.recent.heard(boot, frames)
        for frame in frames:
            if isinstance(frame, Settle) and overran(frame.exchange):
                self.overrun(frame.exchange)


def hearing_at(clock: Clock, overrun: Alarm) -> Hearing:
    """All of them, having heard nothing yet."""
    return Hearing(Meter(clock), Tail(clock), Recent(clock), overrun)
