"""The end of a boot: what it had returns to its budgets once it is proved dead and its journal is read to the end.

Proof comes first, always (L27): the lock that a boot holds for life is free, or its seal was read. So a worker takes
its lock before it registers. Silence is no proof; it only moves the share to `lost`, where nobody can spend it (L28).
"""

import asyncio
from collections.abc import Callable
from enum import Enum

from msgspec import Struct

from clavero.control.ingest import Ingest
from clavero.domain.ledger import Boot, BootId, Life
from clavero.ports.journal import Journals
from clavero.ports.ledger import Books

_MARGIN = 15  # a worker stops holding a fifteenth of the time before others may give it up (L23)


def silent_ns(stale_seconds: float) -> int:
    """After how long a silence a boot is written off: `stale_seconds`, and a margin."""
    return int(stale_seconds * (1 + 1 / _MARGIN) * 1e9)


SILENT_NS = silent_ns(15 * 60)


class End(Enum):
    """What became of a boot."""

    CLOSED = "closed"  # everything it had is back
    INCOMPLETE = "incomplete"  # something of its journal is missing: its share stays lost (L29)
    LOST = "lost"  # silent, without proof of death


class Ended(Struct, frozen=True):
    """One boot whose life took a step; `reason` is told where an operator should look."""

    boot: BootId
    end: End
    reason: str = ""


Told = Callable[[Ended], None]


class Reclaim:
    """Closes the boots of this directory that are dead, and writes off the silent ones of elsewhere."""

    def __init__(
        self, journals: Journals, books: Books, ingest: Ingest, *, silent_ns: int = SILENT_NS, kept: int = 4
    ) -> None:
        self._journals = journals
        self._books = books
        self._ingest = ingest
        self._silent_ns = silent_ns
        self._kept = kept  # segments of closed boots that stay, for a restore (L26, L31)
        self._untidy = True

    def sweep(self) -> list[Ended]:
        """Look at every boot once; returns those whose life took a step. A long journal takes several sweeps."""
        now, boots = self._books.boots()
        ended = [step for boot in boots if (step := self._look_at(boot, now))]
        self._books.sweep()
        if self._untidy or any(step.end is not End.LOST for step in ended):
            self._tidy()
            self._untidy = False
        return ended

    def declare_dead(self, boot: Boot) -> bool:
        """An operator's word that a boot is dead and its journal gone: open holds are charged, its share stays lost."""
        return self._books.close_boot(boot.id, boot.at, complete=False)

    async def forever(self, told: Told, every: float = 1.0) -> None:
        """Sweep after sweep; a database that is away is asked again."""
        while True:
            try:
                for step in await asyncio.to_thread(self.sweep):
                    told(step)
            except ConnectionError:
                pass
            await asyncio.sleep(every)

    def _tidy(self) -> None:
        """Remove old segments, and journals of workers that died before the database heard of them (16 MiB each)."""
        here = self._journals.boots()
        closed = self._books.closed(here)
        self._journals.tidy(self._kept, closed)
        for boot in sorted(set(here) - closed - self._open()):
            with self._journals.proof_of_death(boot) as dead:
                if dead and boot not in self._open():  # asked again, since now it cannot register any more
                    self._journals.discard(boot)

    def _open(self) -> set[BootId]:
        return {boot.id for boot in self._books.boots()[1]}

    def _look_at(self, boot: Boot, now: int) -> Ended | None:
        if boot.place.home == self._journals.place.home:
            if boot.sealed:
                return self._close(boot)
            with self._journals.proof_of_death(boot.id, rebooted=self._rebooted(boot)) as dead:
                if dead:
                    return self._close(boot)
        if boot.life is Life.LIVE and now - boot.heartbeat > self._silent_ns:
            return self._write_off(boot)
        return None

    def _write_off(self, boot: Boot) -> Ended | None:
        if not self._books.write_off(boot.id, self._silent_ns):
            return None
        return Ended(boot.id, End.LOST, "it is silent and nobody can say that it is dead")

    def _close(self, boot: Boot) -> Ended | None:
        """Read on; close where nothing more comes. The boot is dead, so nothing can come after."""
        turned = self._ingest.turn(boot)
        if turned.frames or not turned.ended:
            return None
        missing = turned.damage or self._missing(boot)
        if not self._books.close_boot(boot.id, boot.at, complete=not missing):
            return None
        return Ended(boot.id, End.INCOMPLETE, missing) if missing else Ended(boot.id, End.CLOSED)

    def _missing(self, boot: Boot) -> str:
        """Why what was read cannot be all that was written; "" where it can."""
        if boot.consumed < boot.tail:
            return f"its journal has {boot.consumed} bytes and it had written {boot.tail}"
        if self._rebooted(boot) and not (boot.sealed or boot.place.durable):
            return "its machine went down before its journal was on the disk"
        return ""

    def _rebooted(self, boot: Boot) -> bool:
        return boot.place.kernel_boot != self._journals.place.kernel_boot
