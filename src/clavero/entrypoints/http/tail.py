"""The newest exchanges as they are posted, for everybody who watches: by the console, the API, the command line.

Ingest tells of what it posted, so watching asks the database nothing; what others posted (an ingester elsewhere, the
end of a dead worker) is found by one look a second, made by whichever watcher is first and for all of them. A watcher
holds no transaction and no thread. Numbers go up by one and hold for the life of this process; who comes with another
life's, or was away for too long, is given the newest once more and drops what it has already.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

from clavero.control.commit import Desk
from clavero.control.requests import Wanted, latest
from clavero.domain.errors import Overloaded
from clavero.domain.keys import Key
from clavero.domain.ledger import BootId
from clavero.domain.refusals import StorageUnavailable
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.ports.clock import Clock
from clavero.wire.journal import Frame, Record, Settle, Unreadable

KEPT = 1000  # exchanges that a watcher may be behind
MOST_WATCHERS = 100
CAUGHT_UP = 50  # the newest, for who comes back after too long
TICK_S = 1.0
MEDIA_TYPE = "text/event-stream"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}  # no proxy holds events back
_LOOKED_AT = 200  # of what others posted, a second
_KNOWN = 4 * KEPT
_NAMED_AT_ONCE = 100
_MOST_NAMES = 10_000
_QUIET_TICKS = 15  # then a watcher's connection is shown to live
_CHECKED_TICKS = 10  # how often it is asked whether who watches may still
_TOKENS = Tokens.__struct_fields__
_FIELDS = tuple(name for name in Exchange.__struct_fields__ if name not in {"tokens", "attempts"})
_FLAGS = frozenset({"streamed", "estimated", "final"})


class Seen(Struct, frozen=True, gc=False):
    """One exchange that ended; `hold_id` and `flag` as in its row of usage."""

    exchange: Exchange
    hold_id: str = ""
    flag: str = ""


class Sought(Struct, frozen=True, kw_only=True):
    """Which exchanges are watched; what is empty is any. `key_id` is a public id."""

    key_id: str = ""
    service: str = ""
    model: str = ""
    status: int = 0
    code: str = ""

    def fits(self, it: Exchange) -> bool:
        """Whether an exchange is one of these."""
        return (
            self.key_id in {"", it.key_id}
            and self.service in {"", it.service}
            and self.model in {"", it.model_asked, it.model_served}
            and self.status in {0, it.status}
            and self.code in {"", it.code}
        )


class News(Struct, frozen=True):
    """What a watcher is told: exchanges in the order they were posted, how many more there were, and where it is."""

    cursor: str
    seen: Sequence[Seen] = ()
    more: int = 0


class Tail:
    """The exchanges posted last. `heard` runs on ingest's thread, everything else on the loop."""

    def __init__(self, clock: Clock) -> None:
        self.names: dict[str, str] = {}
        self.watchers = 0
        self._clock = clock
        self._life = f"{clock.wall_ns():x}"
        self._ring: deque[Seen] = deque(maxlen=KEPT)
        self._known: dict[str, None] = {}
        self._number = 0
        self._lock = Lock()
        self._look_ns = 0
        self._looking = False
        self._ended = asyncio.Event()

    @property
    def cursor(self) -> str:
        """Where somebody is who has seen everything so far."""
        return f"{self._life}-{self._number}"

    def heard(self, _boot: BootId, frames: Sequence[Frame | Unreadable]) -> None:
        """Take in frames that were posted; give this to `Ingest`."""
        with self._lock:
            for frame in frames:
                match frame:
                    case Settle(id=hold_id, flag=flag, exchange=exchange) if exchange.final:
                        self._add(Seen(exchange, hold_id, flag))
                    case Record(exchange=exchange) if exchange.final:
                        self._add(Seen(exchange, exchange.request_id))
                    case _:
                        pass

    def end(self) -> None:
        """Let every watcher go: this process ends, and they find the next one by themselves."""
        self._ended.set()

    async def refresh(self, desk: Desk) -> None:
        """Look for what others posted, and for names of keys; at most once a second, whoever asks."""
        now_ns = self._clock.monotonic_ns()
        if self._looking or now_ns < self._look_ns:
            return
        self._looking, self._look_ns = True, now_ns + int(TICK_S * 0.9e9)
        try:
            rows = await latest(desk, Wanted(), _LOOKED_AT)
            with self._lock:
                for row in reversed(rows):
                    self._add(seen_row(row))
                unnamed = {one.exchange.key_id for one in self._ring} - self.names.keys()
            await self._name(desk, list(unnamed)[:_NAMED_AT_ONCE])
        except StorageUnavailable:
            return  # whoever watches goes on watching
        finally:
            self._looking = False

    def since(self, cursor: str) -> tuple[list[Seen], int] | None:
        """What was posted after a cursor, and how many were lost since; None for a cursor that is not of this life."""
        life, _, number = cursor.rpartition("-")
        if life != self._life or not number.isdecimal() or int(number) > self._number:
            return None
        with self._lock:
            missed = self._number - int(number)
            found = list(self._ring)[max(0, len(self._ring) - missed) :] if missed else []
        return found, missed - len(found)

    async def watch(
        self, desk: Desk, cursor: str, sought: Sought, most: int, still: Callable[[], Awaitable[object]]
    ) -> AsyncIterator[News]:
        """News second by second, at most so many exchanges each; empty news now and then, so that silence is life.

        `still` raises when who watches may do so no longer. `Overloaded` where too many watch already.
        """
        if self.watchers >= MOST_WATCHERS:
            raise Overloaded(retry_after=10)
        self.watchers += 1
        try:
            async for news in self._watch(desk, cursor, sought, most, still):
                yield news
        finally:
            self.watchers -= 1

    async def _watch(
        self, desk: Desk, cursor: str, sought: Sought, most: int, still: Callable[[], Awaitable[object]]
    ) -> AsyncIterator[News]:
        ticks = quiet = 0
        while True:
            await self.refresh(desk)
            news = await self._news(desk, cursor, sought, most)
            cursor, quiet = news.cursor, quiet + 1
            if news.seen or not ticks or quiet >= _QUIET_TICKS:
                quiet = 0
                yield news
            ticks += 1
            if await self._ends_within(TICK_S):
                return
            if ticks % _CHECKED_TICKS == 0:
                await _checked(still)

    async def _news(self, desk: Desk, cursor: str, sought: Sought, most: int) -> News:
        now, found = self.cursor, self.since(cursor)
        if found is None:
            try:
                return News(now, await _newest(desk, sought))
            except StorageUnavailable:
                return News(cursor)  # asked again at the next tick
        fitting = [one for one in found[0] if sought.fits(one.exchange)]
        shown = chosen(fitting, most)
        return News(now, shown, len(fitting) - len(shown) + found[1])

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._ended.wait()
        except TimeoutError:
            return False

    async def _name(self, desk: Desk, kids: Sequence[str]) -> None:
        """Learn what keys are called; a name is for ever."""
        if not kids:
            return
        if len(self.names) > _MOST_NAMES:
            self.names.clear()
        async with desk.store.read() as look:
            for kid in kids:
                key = await look.get(Key, kid) if kid else None
                self.names[kid] = key.name if key else ""

    def _add(self, seen: Seen) -> None:
        name = seen.exchange.request_id
        if name in self._known:
            return
        self._known[name] = None
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        self._ring.append(seen)
        self._number += 1


def chosen(found: Sequence[Seen], most: int) -> Sequence[Seen]:
    """So many of these, in their order: what failed before all else, then the newest."""
    if len(found) <= most:
        return found
    ranked = sorted(range(len(found)), key=lambda place: (not found[place].exchange.code, -place))
    return [found[place] for place in sorted(ranked[:most])]


def seen_row(row: dict[str, Any]) -> Seen:
    """A row of usage as the exchange that it was made of."""
    fields: dict[str, Any] = {name: bool(row[name]) if name in _FLAGS else row[name] for name in _FIELDS}
    exchange = Exchange(
        tokens=Tokens(*(row[name] for name in _TOKENS)),
        attempts=msgspec.convert(row["attempts"], tuple[Attempt, ...]),
        **fields,
    )
    return Seen(exchange, row["hold_id"], row["flag"])


def event(name: str, data: str) -> bytes:
    """One server-sent event; `data` is of one line."""
    return f"event: {name}\ndata: {data}\n\n".encode()


def placed(cursor: str) -> bytes:
    """Where a watcher is now: the id that it comes back with. It is no event, and shows that the connection lives."""
    return f"id: {cursor}\n\n".encode()


async def _newest(desk: Desk, sought: Sought) -> Sequence[Seen]:
    wanted = Wanted(
        key=sought.key_id, service=sought.service, model=sought.model, status=sought.status, code=sought.code
    )
    rows = await latest(desk, wanted, CAUGHT_UP)
    return [seen_row(row) for row in reversed(rows)]


async def _checked(still: Callable[[], Awaitable[object]]) -> None:
    try:
        await still()
    except StorageUnavailable:
        return  # nobody can tell now, and nothing new is posted either
