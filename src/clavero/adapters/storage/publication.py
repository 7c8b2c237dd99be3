"""How a worker reads what was published, on either database: by plain drivers, changed rows alone.

A load reads the newest number before the rows, so that a change that commits meanwhile is either in the rows or comes
later; so it may read page by page, each in a short transaction: PostgreSQL ends a session that decodes within one for
longer than a second, and a hundred thousand rows are never in memory twice. Nothing can come below a number that was
seen: the store lets one writer change things at a time, so that numbers are drawn in the order of the commits on both
databases (`SqlStore.write`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.rows import BY_KIND, BY_TYPE, REGISTRY, Stored, from_row, identity
from clavero.adapters.storage.session import Database
from clavero.domain.retention import Behind
from clavero.ports.clock import Clock
from clavero.ports.publication import Change

T = TypeVar("T", bound=Struct)

_READ_EVERY_NS = 1_000_000_000  # the change log is read at least so often, whatever the signal says

_NEWEST = Statement("SELECT coalesce(max(seq), 0) FROM change_log")
_SINCE = Statement("SELECT seq, kind, id FROM change_log WHERE seq > :after ORDER BY seq")
_OLDEST = Statement("SELECT coalesce(min(seq), 0) FROM change_log")
_MOST_IDS = 500
_PAGE_ROWS = 5_000


def _page(stored: Stored) -> Statement:
    return Statement(_select(stored) + f" WHERE {stored.primary} > :last ORDER BY {stored.primary} LIMIT :most")


def _some(stored: Stored, count: int) -> Statement:
    marks = ", ".join(f":id{_letters(number)}" for number in range(count))
    return Statement(_select(stored) + f" WHERE {stored.primary} IN ({marks})")


def _select(stored: Stored) -> str:
    return "SELECT " + _columns(stored) + " FROM " + stored.table  # noqa: S608 - names of the registry


def _columns(stored: Stored) -> str:
    return ", ".join(f'"{name}"' for name in stored.names)


def _letters(number: int) -> str:
    """A number as letters: placeholders have none but these."""
    return chr(97 + number % 26) + (_letters(number // 26) if number >= 26 else "")


class LeanPublication:
    """The change log and the rows it names. `signal` blocks until something may have changed, or so many seconds."""

    def __init__(self, database: Database, signal: Callable[[float], None], clock: Clock) -> None:
        self._database = database
        self._signal = signal
        self._clock = clock

    def load(self) -> tuple[int, Mapping[type[Struct], Sequence[Struct]]]:
        """Everything that workers need, and the newest number; `ConnectionError` where there is no schema yet."""
        with self._database.transaction(write=False) as session:
            ((seq,),) = session.rows(_NEWEST, {})
        return int(seq), {stored.type: self._load(stored) for stored in REGISTRY if stored.published}

    def wait(self, after: int, seconds: float) -> Sequence[Change]:
        """Changes above a number, in order; empty when the time is up; `Behind` where some are forgotten."""
        until = self._clock.monotonic_ns() + int(seconds * 1e9)
        while True:
            found = self._changes(after)
            left = until - self._clock.monotonic_ns()
            if found or left <= 0:
                return found
            self._signal(min(left, _READ_EVERY_NS) / 1e9)

    def fetch(self, kind: type[T], ids: Sequence[str]) -> Sequence[T]:
        """The objects of a kind that still exist among these ids."""
        stored, found = BY_TYPE[kind], list[T]()
        for start in range(0, len(ids), _MOST_IDS):
            part = ids[start : start + _MOST_IDS]
            values = {f"id{_letters(number)}": name for number, name in enumerate(part)}
            with self._database.transaction(write=False) as session:
                rows = session.rows(_some(stored, len(part)), values)
            found += [from_row(kind, row) for row in rows]
        return found

    def every(self, kind: type[T]) -> Sequence[T]:
        """All objects of a kind that has few."""
        return [one for one in self._load(BY_TYPE[kind]) if isinstance(one, kind)]

    def close(self) -> None:
        """Let the database go."""
        self._database.close()

    def _load(self, stored: Stored) -> list[Struct]:
        found: list[Struct] = []
        last = ""
        while True:
            with self._database.transaction(write=False) as session:
                rows = session.rows(_page(stored), {"last": last, "most": _PAGE_ROWS})
            found += [from_row(stored.type, row) for row in rows]
            if len(rows) < _PAGE_ROWS:
                return found
            last = identity(found[-1])

    def _changes(self, after: int) -> list[Change]:
        with self._database.transaction(write=False) as session:
            rows = session.rows(_SINCE, {"after": after})
            ((oldest,),) = session.rows(_OLDEST, {})  # after the rows: what is forgotten meanwhile is noticed
        if oldest > after + 1:
            raise Behind(f"change {after} was heard of, {oldest} is the oldest that is kept")
        changes = [Change(seq, kind, name) for seq, kind, name in rows]
        return [change for change in changes if change.kind in BY_KIND and BY_KIND[change.kind].published]
