"""Telling a collector every row of the audit trail, in order, as it comes.

At least once: a row counts as told when the collector has taken it and that is noted, so a crash between the two tells
it again. Each row carries its number and hash, by which a collector drops what it has.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from clavero.control.checkpoints import Trouble, restores
from clavero.control.commit import Desk
from clavero.domain.audit import AuditRow
from clavero.domain.refusals import StorageUnavailable
from clavero.domain.witnesses import Told
from clavero.ports.store import Reading

EVERY_SECONDS = 1.0
MOST_ROWS = 200


class Collector(Protocol):
    """Somebody who hears rows. Blocking."""

    name: str

    def tell(self, rows: Sequence[AuditRow]) -> None:
        """Tell them all, in order; `OSError` where that fails."""
        ...

    def close(self) -> None:
        """End the connection, if there is one."""
        ...


class Mark(Protocol):
    """Where it is noted what was told. Blocking."""

    def read(self) -> Told:
        """What was told last."""
        ...

    def write(self, told: Told) -> None:
        """Note it; `OSError` where that fails."""
        ...


class Follower:
    """Follows the trail for one collector; `said` hears of trouble, once for each that is new."""

    def __init__(self, desk: Desk, collector: Collector, mark: Mark, said: Callable[[Trouble], None]) -> None:
        self._desk = desk
        self._collector = collector
        self._mark = mark
        self._said = said
        self._trouble: Trouble | None = None

    async def forever(self) -> None:
        """Tell what is new again and again; who is away is asked again."""
        while True:
            if await self.step() < MOST_ROWS:
                await asyncio.sleep(EVERY_SECONDS)

    async def step(self) -> int:
        """Tell what is new, at most `MOST_ROWS`; how many rows that were."""
        try:
            told = await asyncio.to_thread(self._mark.read)
            async with self._desk.store.read() as look:
                rows = await _since(look, told)
            if rows:
                await asyncio.to_thread(self._collector.tell, rows)
                await asyncio.to_thread(self._mark.write, Told(rows[-1].seq, rows[-1].hash))
        except StorageUnavailable:
            return 0
        except OSError as error:
            self._say(Trouble("collector_failed", f"{self._collector.name}: {error.strerror or error}"))
            return 0
        self._trouble = None
        return len(rows)

    def _say(self, trouble: Trouble) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._said(trouble)


async def _since(look: Reading, told: Told) -> list[AuditRow]:
    """The rows behind the last one told; where that is not there any more, those since the restore."""
    if told.seq:
        seen = [AuditRow(**row) for row in await look.rows("audit_since", after=told.seq - 1, most=1)]
        if not seen or seen[0].hash != told.hash:
            told = Told(max((await restores(look)).values(), default=1) - 1)
    return [AuditRow(**row) for row in await look.rows("audit_since", after=told.seq, most=MOST_ROWS)]
