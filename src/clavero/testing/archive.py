"""The `Archive` in memory: how many rows of which day there are, and what was asked of it."""

from collections import Counter

from clavero.domain.retention import Dropped, Kept


class MemoryArchive:
    """Rows by kind and day; each row takes a turn so many nanoseconds to forget. `away` makes it unreachable."""

    def __init__(self, row_ns: int = 0) -> None:
        self.rows: Counter[tuple[Kept, int]] = Counter()
        self.days: set[int] = set()
        self.turns: list[int] = []
        self.away = False
        self._row_ns = row_ns

    def open_days(self, first: int, count: int) -> None:
        """Make room for the records of some days."""
        self._reach()
        self.days |= set(range(first, first + count))

    def drop(self, kept: Kept, before_day: int, most: int) -> Dropped:
        """Forget at most so many rows of a kind from before a day, the oldest first."""
        self._reach()
        gone = 0
        for key in sorted(key for key in self.rows if key[0] is kept and key[1] < before_day):
            part = min(self.rows[key], most - gone)
            self.rows[key] -= part
            gone += part
        self.rows = +self.rows
        if gone:
            self.turns.append(gone)
        return Dropped(gone, gone * self._row_ns)

    def close(self) -> None:
        """Nothing to let go of."""

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("the database is away")
