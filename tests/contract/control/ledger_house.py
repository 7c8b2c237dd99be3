"""A desk, budgets on a team by day and on the organisation by month, and a reader that posts, on either database."""

from pathlib import Path

import psycopg
from sqlalchemy import make_url

from clavero.adapters.storage.books_sqlite import SqliteBooks
from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.control import budgets, organisation, usage
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.domain.access import SYSTEM
from clavero.domain.budgets import Budget, RowKey, Subject, Window, period_start
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import Charge, Posting, Turn
from clavero.domain.usage import Exchange, Tokens
from clavero.ports.ledger import Books, Lender
from clavero.testing.clock import StoppedClock

DAY_S, DAY_NS = 86_400, 86_400 * 10**9
HOUR_NS = 3600 * 10**9
BOOT = BootId("b" * 32)


class House:
    """Everything that reports are made of."""

    def __init__(self, desk: Desk, clock: StoppedClock, lender: Lender, books: Books) -> None:
        self.desk, self.clock, self.lender, self.books = desk, clock, lender, books
        self.lender.register(BOOT, "w")
        self.at = Position(0, 0)
        self.number = 0

    @property
    def today_s(self) -> int:
        return period_start(Window.DAY, self.clock.wall_ns())

    @property
    def month_s(self) -> int:
        return period_start(Window.MONTH, self.clock.wall_ns())

    async def limits(self) -> None:
        await perform(self.desk, SYSTEM, organisation.add_team, name="support")
        self.team = await self._limit(Subject.TEAM, "support", Window.DAY)
        self.all = await self._limit(Subject.ORGANISATION, "", Window.MONTH)

    async def _limit(self, subject: Subject, name: str, window: Window) -> Budget:
        wanted = NewBudget(subject=subject, name=name, window=window, limit_n=10**12)
        return await perform(self.desk, SYSTEM, budgets.set_budget, wanted=wanted)

    def spend(self, cost: int, *, days_ago: int = 0, on: tuple[Budget, ...] | None = None, **known: object) -> str:
        """One exchange, posted; returns its request id."""
        self.number += 1
        name = f"req_{self.number:04d}"
        at_ns = self.clock.wall_ns() - days_ago * DAY_NS
        facts = {"service": "chat", "model_served": "m", "status": 200, "team": "support", **known}
        exchange = Exchange(name, at_ns, cost_n=cost, tokens=Tokens(10, 1, 2, 3, 4), **facts)  # type: ignore[arg-type] # facts of a test
        rows = [RowKey(one.id, period_start(one.window, at_ns)) for one in (self.team, self.all)]
        if on is not None:
            rows = [RowKey(one.id, period_start(one.window, at_ns)) for one in on]
        self.post(Posting(name, exchange, tuple(Charge(row, cost, 0) for row in rows)))
        return name

    def post(self, *postings: Posting) -> None:
        to = Position(0, self.at.off + 10)
        assert self.books.post(Turn(BOOT, self.at, to, 10, [], list(postings))) is not None
        self.at = to

    async def report(self, *by: str, days: int = 1) -> usage.Report:
        return await usage.report(self.desk, by, self.today_s - (days - 1) * DAY_S, self.today_s + DAY_S)


def parts(folder: Path, url: str, clock: StoppedClock) -> tuple[SqlStore, Lender, Books]:
    """A store with the ledger's two sides, in a file or in a new database of a server."""
    place = Place("h", "k")
    if not url:
        file = folder / "clavero.db"
        return sqlite_store(file), SqliteLender(file, place, clock), SqliteBooks(file, clock)
    from clavero.adapters.storage.books_postgres import PostgresBooks
    from clavero.adapters.storage.lender_postgres import PostgresLender

    url = _fresh(url)
    return postgres_store(url), PostgresLender(url, place), PostgresBooks(url, clock)


def _fresh(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS control_usage WITH (FORCE)")
        server.execute("CREATE DATABASE control_usage")
    return make_url(url).set(database="control_usage").render_as_string(hide_password=False)
