"""Forgetting: what is older than it is kept goes, in turns that let borrowers and ingest through.

Once an hour, and only a little at a time: a turn is as short as ingest's, and the lock is then free for longer than it
was held. Nothing is forgotten that a borrow could need; what is not forgotten in one hour is in the next.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from clavero.domain.retention import Dropped, Kept, Retention
from clavero.ports.clock import Clock

EVERY_SECONDS = 3600.0
AGAIN_SECONDS = 60.0
AHEAD_DAYS = 3
_DAY_NS = 86_400 * 1_000_000_000
_TURN_NS = 5_000_000
_FEWEST, _MOST = 200, 2_000  # of fewer rows most of a turn is its commit, however busy the disk
_REST = 3  # times as long as a turn held the lock: ingest has half of what is left


class Archive(Protocol):
    """The past, as this duty sees it: each method one short transaction. Blocking, one call at a time.

    Every method raises `ConnectionError` where the outcome is unknown or the database is away.
    """

    def open_days(self, first: int, count: int) -> None:
        """Make room for the records of some UTC days since 1970, where the database keeps each day apart."""
        ...

    def drop(self, kept: Kept, before_day: int, most: int) -> Dropped:
        """Forget at most about so many rows of a kind from before a UTC day; 0 rows where nothing is left."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


class Forgotten(Struct, frozen=True):
    """How many rows of a kind went, from before a UTC day since 1970."""

    kept: Kept
    before_day: int
    rows: int


class Forgetting:
    """The duty of one control plane; several may run, each takes what the other left."""

    def __init__(self, archive: Archive, retention: Retention, clock: Clock) -> None:
        self._archive = archive
        self._retention = retention
        self._clock = clock
        self._most = _FEWEST

    async def sweep(self) -> list[Forgotten]:
        """Forget all that is due; returns what went."""
        now_ns = self._clock.wall_ns()
        await asyncio.to_thread(self._archive.open_days, now_ns // _DAY_NS - 1, AHEAD_DAYS + 2)
        found = []
        for kept in Kept:
            first = self._retention.first_day(kept, now_ns // 10**9)
            if first is not None and (rows := await self._drop(kept, first)):
                found.append(Forgotten(kept, first, rows))
        return found

    async def forever(self, told: Callable[[Forgotten], None]) -> None:
        """Sweep after sweep; a database that is away, or somebody who reads for long, is asked again in a minute."""
        while True:
            try:
                for forgotten in await self.sweep():
                    told(forgotten)
            except ConnectionError:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                await asyncio.sleep(EVERY_SECONDS)

    def close(self) -> None:
        """Let the database go."""
        self._archive.close()

    async def _drop(self, kept: Kept, before_day: int) -> int:
        rows, self._most = 0, _FEWEST
        while True:
            dropped = await asyncio.to_thread(self._archive.drop, kept, before_day, self._most)
            if not dropped.rows:
                return rows
            rows += dropped.rows
            self._adapt(dropped.held_ns)
            await asyncio.sleep(_REST * dropped.held_ns / 1e9)

    def _adapt(self, held_ns: int) -> None:
        """Fewer rows where a turn took too long, step by step more where it did not."""
        if held_ns > _TURN_NS:
            self._most = max(_FEWEST, self._most * _TURN_NS // held_ns)
        else:
            self._most = min(_MOST, self._most + self._most // 4 + 1)
