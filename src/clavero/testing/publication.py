"""How a worker learns of changes, without a database: the publication of a `MemoryStore`."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from clavero.adapters.storage.rows import BY_KIND, REGISTRY
from clavero.ports.publication import Change
from clavero.testing.store import MemoryStore

T = TypeVar("T", bound=Struct)


class MemoryPublication:
    """The change log of a store in memory, and the objects it names. `away` makes it unreachable."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.away = False

    def load(self) -> tuple[int, Mapping[type[Struct], Sequence[Struct]]]:
        """Everything that workers need, and the newest number."""
        self._reach()
        state = self._store.state
        things = {one.type: list(state.things.get(one.type, {}).values()) for one in REGISTRY if one.published}
        return len(state.log), things

    def wait(self, after: int, seconds: float) -> Sequence[Change]:
        """Changes above a number; empty when the time is up."""
        self._reach()
        with self._store.committed:
            self._store.committed.wait_for(lambda: bool(self._changes(after)), seconds)
            return self._changes(after)

    def fetch(self, kind: type[T], ids: Sequence[str]) -> Sequence[T]:
        """The objects of a kind that still exist among these ids."""
        self._reach()
        known = self._store.state.things.get(kind, {})
        return [known[name] for name in dict.fromkeys(ids) if name in known]  # type: ignore[misc] # each kind has its own

    def every(self, kind: type[T]) -> Sequence[T]:
        """All objects of a kind."""
        self._reach()
        return list(self._store.state.things.get(kind, {}).values())  # type: ignore[arg-type] # each kind has its own

    def close(self) -> None:
        """Nothing to let go of."""

    def _changes(self, after: int) -> list[Change]:
        rows = [Change(row["seq"], row["kind"], row["id"]) for row in self._store.state.log if row["seq"] > after]
        return [row for row in rows if row.kind in BY_KIND and BY_KIND[row.kind].published]

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("the database is away")
