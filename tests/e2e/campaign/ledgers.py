"""The books of a running clavero, read from outside: SQLite by its file, PostgreSQL by its URL."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_AWAY = (sqlite3.Error, psycopg.Error)
_IDENTITY = """
    SELECT l.budget_id, l.leased, l.posted, l.lost, l.limit_n, l.excess,
    coalesce((SELECT sum(x.granted - x.returned - x.posted - x.moved) FROM lease x
              WHERE x.budget_id = l.budget_id AND x.period_start = l.period_start), 0) AS shares,
    coalesce((SELECT sum(x.lost) FROM lease x
              WHERE x.budget_id = l.budget_id AND x.period_start = l.period_start), 0) AS lost_shares
    FROM ledger l"""

_SPANS = """
    SELECT g.key_id, u.at_ns, u.total_us, u.held_n, u.cost_n FROM usage u JOIN usage_group g ON g.id = u.group_id"""


@dataclass(frozen=True)
class Ledger:
    """One ledger row, nano-USD."""

    budget: str
    limit: int
    posted: int
    excess: int


class Books:
    """Queries, each in a transaction of its own; where the database is away they are asked again for a while."""

    def __init__(self, data: Path, url: str = "") -> None:
        self._file = data / "clavero.db"
        self._url = url

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows; tried again for ten seconds."""
        until = time.monotonic() + 10
        while True:
            try:
                with self._connected() as connection:
                    return [tuple(row) for row in connection.execute(query).fetchall()]
            except _AWAY:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def count(self, what: str) -> int:
        """How many legs there are like this; conditions on `u`, the row, and `g`, its group."""
        return int(self.one("SELECT count(*) FROM usage u JOIN usage_group g ON g.id = u.group_id WHERE " + what))

    def cost(self, model: str) -> int:
        """What all legs of a model cost, nano-USD."""
        found = self.rows(
            "SELECT g.model_served, sum(u.cost_n) FROM usage u JOIN usage_group g ON g.id = u.group_id GROUP BY 1"
        )
        return sum(int(cost) for name, cost in found if name == model)

    def unseen(self, model: str) -> int:
        """What was held, and not charged, for calls of a model that nobody heard to their end: the most unseen bill."""
        found = self.rows(
            "SELECT g.model_served, sum(u.held_n - u.cost_n) FROM usage u JOIN usage_group g ON g.id = u.group_id "
            "WHERE u.outcome <> 'ok' GROUP BY 1"
        )
        return sum(int(amount) for name, amount in found if name == model)

    def one(self, query: str) -> Any:
        """The first column of the one row."""
        return self.rows(query)[0][0]

    @property
    def at_rest(self) -> bool:
        """Nothing leased, nothing lost, no hold open."""
        held = self.one("SELECT coalesce(sum(leased), 0) + coalesce(sum(lost), 0) FROM ledger")
        return bool(held == 0 and self.one("SELECT count(*) FROM open_hold") == 0)

    def faults(self) -> list[str]:
        """Rows whose sums are not what they must be at each commit: leased, lost, and the cap."""
        return [
            f"{budget}: leased {leased} of {shares}, lost {lost} of {lost_shares}, posted {posted}, limit {limit}"
            for budget, leased, posted, lost, limit, excess, shares, lost_shares in self.rows(_IDENTITY)
            if leased != shares or lost != lost_shares or posted + leased + lost > limit + excess
        ]

    def ledger(self) -> list[Ledger]:
        """Every row."""
        found = self.rows("SELECT budget_id, limit_n, posted, excess FROM ledger")
        return [Ledger(*row) for row in found]

    def charged(self) -> dict[str, int]:
        """What the usage rows say that each budget was charged."""
        sums: dict[str, int] = {}
        for (amounts,) in self.rows("SELECT amounts FROM usage WHERE amounts <> '[]'"):
            for budget, _, charge in json.loads(amounts):
                sums[budget] = sums.get(budget, 0) + charge
        return sums

    def finals(self) -> dict[str, int]:
        """How many closing rows each request has."""
        return dict(self.rows("SELECT request_id, count(*) FROM usage WHERE final GROUP BY request_id"))

    def spans(self, key: str) -> Sequence[tuple[int, int, int, int]]:
        """Holds of a key: begun, ended (UTC ns), held, charged (nano-USD)."""
        return [(at, at + us * 1000, held, charged) for kid, at, us, held, charged in self.rows(_SPANS) if kid == key]

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        connection: Any = psycopg.connect(self._url, connect_timeout=5) if self._url else self._sqlite()
        try:
            yield connection
        finally:
            connection.close()

    def _sqlite(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=10)
