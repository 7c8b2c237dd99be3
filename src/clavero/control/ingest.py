"""Ingest: the journals' frames become postings in the ledger, turn by turn, once and in order.

A turn is one transaction. On SQLite, which has one writer, a turn is short and the lock is then left free for as long
as it was held, so that borrowers get through; on PostgreSQL time spent waiting for a row would count as held and
ingest would starve, so only the frames of a turn are bounded. Segments go only after their commit is durable (L26).
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from clavero.domain.ledger import Boot, BootId, Position
from clavero.domain.posting import (
    INT64_MAX,
    OpenHold,
    Poison,
    Posting,
    Reject,
    Turn,
    charges,
    check_hold,
)
from clavero.ports.clock import Clock
from clavero.ports.journal import Journals, Stretch
from clavero.ports.ledger import Books
from clavero.wire.journal import Frame, Hold, Pulse, Record, Seal, Settle, Unreadable, encode_frame

Heard = Callable[[BootId, Sequence[Frame | Unreadable]], None]


class Pace(Struct, frozen=True):
    """How much one turn may take. `rest` leaves the lock free for as long as a turn held it."""

    frames: int
    held_ns: int = 0  # 0: not bounded
    rest: bool = False


SQLITE_PACE = Pace(frames=200, held_ns=5_000_000, rest=True)
POSTGRES_PACE = Pace(frames=1000)
_FEWEST = 20
_IDLE_SECONDS = 0.05


class Turned(Struct, frozen=True):
    """What one turn did: frames posted, nanoseconds that others could not write, whether the journal goes on."""

    frames: int
    held_ns: int
    ended: bool
    at: Position
    damage: str = ""
    rejected: int = 0


class Ingest:
    """Reads the journals of one directory into the books; `heard` is told of frames once they are durable."""

    def __init__(
        self,
        journals: Journals,
        books: Books,
        clock: Clock,
        pace: Pace,
        *,
        heard: Heard = lambda *_: None,
        kept: int = 4,
    ) -> None:
        self._journals = journals
        self._books = books
        self._clock = clock
        self._pace = pace
        self._heard = heard
        self._kept = kept  # closed segments that stay, for a restore (L26, L31)
        self._most = pace.frames
        self._free_until = 0

    def boots(self) -> list[Boot]:
        """The boots that wrote here and are not closed."""
        home = self._journals.place.home
        return [boot for boot in self._books.boots()[1] if boot.place.home == home]

    def turn(self, boot: Boot) -> Turned:
        """Read and post one piece of a boot's journal, from where the database says it is."""
        return self.post(boot, self.read(boot))

    def read(self, boot: Boot) -> Stretch:
        """The next piece of a boot's journal."""
        return self._journals.read(boot.id, boot.at, self._most)

    def post(self, boot: Boot, stretch: Stretch) -> Turned:
        """Post a piece that was read from where the database said."""
        if not stretch.frames and stretch.to.seg == boot.at.seg:
            return Turned(0, 0, stretch.ended, boot.at, stretch.damage)
        posted = self._books.post(turn_of(boot, stretch))
        if posted is None:  # somebody was faster, and has moved the position
            return Turned(0, 0, ended=False, at=boot.at)
        self._adapt(posted.held_ns)
        self._heard(boot.id, stretch.frames)
        if stretch.to.seg > boot.at.seg:
            self._journals.remove(boot.id, stretch.to.seg - self._kept)
        return Turned(len(stretch.frames), posted.held_ns, stretch.ended, stretch.to, stretch.damage, posted.rejected)

    async def round(self) -> int:
        """One turn for every boot; returns how many frames were posted."""
        frames = 0
        for boot in await asyncio.to_thread(self.boots):
            stretch = await asyncio.to_thread(self.read, boot)
            await self._rest()
            turned = await asyncio.to_thread(self.post, boot, stretch)
            self._free_until = self._clock.monotonic_ns() + (turned.held_ns if self._pace.rest else 0)
            frames += turned.frames
        return frames

    async def _rest(self) -> None:
        """Leave the lock to others for as long as the last turn held it; reading meanwhile counts as rest."""
        await asyncio.sleep(max(0, self._free_until - self._clock.monotonic_ns()) / 1e9)

    async def forever(self) -> None:
        """Round after round; a database that is away is asked again."""
        while True:
            try:
                frames = await self.round()
            except ConnectionError:
                frames = 0
            if not frames:
                await asyncio.sleep(_IDLE_SECONDS)

    def _adapt(self, held_ns: int) -> None:
        """Fewer frames where a turn took too long, step by step more where it did not."""
        if self._pace.held_ns and held_ns > self._pace.held_ns:
            self._most = max(_FEWEST, self._most * self._pace.held_ns // held_ns)
        else:
            self._most = min(self._pace.frames, self._most + self._most // 4 + 1)


def turn_of(boot: Boot, stretch: Stretch) -> Turn:
    """What a piece of a journal posts. Pure: a frame that makes no sense is put aside with its reason."""
    holds: list[OpenHold] = []
    postings: list[Posting] = []
    rejects: list[Reject] = []
    pulse_ns, sealed = 0, False
    for frame in stretch.frames:
        try:
            match frame:
                case Hold():
                    holds.append(check_hold(OpenHold(frame.id, frame.at_ns, frame.rows, frame.exchange)))
                case Settle():
                    postings.append(Posting(frame.id, frame.exchange, charges(frame.rows), frame.flag))
                case Record():
                    postings.append(Posting(frame.exchange.request_id, frame.exchange))
                case Pulse():
                    pulse_ns = max(pulse_ns, min(frame.at_ns, INT64_MAX))
                case Seal():
                    sealed = True
                case Unreadable():
                    rejects.append(Reject(frame.reason, frame.payload))
        except Poison as error:
            rejects.append(Reject(str(error), encode_frame(frame)))
    return Turn(boot.id, boot.at, stretch.to, stretch.size, holds, postings, rejects, pulse_ns, sealed)
