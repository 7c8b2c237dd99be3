"""How long questions about usage take when there are many records, and what forgetting a day costs a borrower.

    python benchmarks/records.py [--rows 10000000] [--days 90] [--keys 1000] [--at DIRECTORY | --url postgresql://…]

Makes a database with so many requests (an existing one is used again), asks it what the command line and the console
ask, and prints the slowest answer of each kind in milliseconds. It asserts nothing about time; it does compare sums.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.engines import postgres_engine, sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.schema import prepare
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.storage.usage_days import opening
from clavero.adapters.storage.usage_rolls import digest
from clavero.adapters.storage.usage_tables import GROUP
from clavero.control import requests, usage
from clavero.control.budgets import list_budgets
from clavero.control.commit import Desk
from clavero.control.keys import list_keys
from clavero.control.requests import Before, Wanted
from clavero.entrypoints.http.console import reads

DAY_S, DAY_NS = 86_400, 86_400 * 10**9
HOUR_NS = 3600 * 10**9
BATCH = 100_000
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# What a key's requests differ in: two models, two features, and how they ended.
ENDINGS = ((200, ""), (429, "insufficient_quota"), (502, "upstream_error"))
MODELS = ("gpt-4o-mini", "claude-sonnet-4-5")

_DIGITS = " || ".join(
    f"substr('{ALPHABET}', CAST(1 + at / {10**9 * 62**place} % 62 AS integer), 1)" for place in range(5, -1, -1)
)
_SERIES = {
    Dialect.SQLITE: "WITH RECURSIVE s(n) AS (VALUES (:first) UNION ALL SELECT n + 1 FROM s WHERE n < :last)",
    Dialect.POSTGRESQL: "WITH s AS (SELECT CAST(generate_series AS bigint) AS n FROM generate_series(:first, :last))",
}
# Integers alone, so that both databases make the same: few keys have most of the requests, three in a hundred fail.
_ROWS = """, a AS (
    SELECT n, :begin + n * :step AS at, (n * 40503) % 65536 AS r, (n * 7919) % 1000 AS v, n * 31 % 9000 + 500 AS cost
    FROM s
), b AS (
    SELECT n, at, at / 86400000000000 AS day, r * r * :keys / 4294967296 AS k, v, cost * 1000 AS cost,
    CASE WHEN v < 970 THEN 0 WHEN v < 990 THEN 1 ELSE 2 END AS ending FROM a
)
INSERT INTO usage (day, hold_id, request_id, at_ns, group_id, key_version, input, cached, cache_write, output,
    reasoning, cost_n, price_version, attempts, first_token_us, total_us, overhead_us, outcome, streamed, estimated,
    final, client_request_id, peer, output_cap, held_n, amounts, flag, boot_id)
SELECT b.day, 'req_' || {digits} || substr(CAST(1000000000000 + n AS text), 2) || '.1',
    'req_' || {digits} || substr(CAST(1000000000000 + n AS text), 2), at,
    1 + k * 12 + (v % 4) * 3 + ending, 1, 700, 0, 0, 250, 0, CASE WHEN ending = 0 THEN cost ELSE 0 END, '2026-11-01',
    '[["openai","gpt-4o-mini",200,900000,200,400000,"",0]]', 400000, 900000 + v * 100, 300 + v, 'ok', {yes}, {no},
    {yes}, '', '10.0.0.7', 4096, cost * 3, CASE WHEN ending = 0 THEN '[["key/K'
    || substr(CAST(100000000000 + k AS text), 2) || '\\:day",' || b.day * 86400 || ',' || cost
    || '],["organisation/default\\:total",0,' || cost || ']]' ELSE '[]' END,
    '', '0123456789abcdef0123456789abcdef'
FROM b"""
_ROLLED = """sum(CASE WHEN u.final THEN 1 ELSE 0 END), sum(input), sum(cached), sum(cache_write), sum(output),
    sum(reasoning), sum(cost_n), sum(CASE WHEN estimated THEN cost_n ELSE 0 END),
    sum(CASE WHEN amounts = '[]' THEN cost_n ELSE 0 END), sum(CASE WHEN amounts = '[]' THEN 0 ELSE cost_n END)"""
_OF_A_DAY = (
    f"INSERT INTO usage_day SELECT day, group_id, {_ROLLED} FROM usage u WHERE day = :day GROUP BY 1, 2",
    f"""INSERT INTO usage_hour SELECT at_ns / 3600000000000, group_id, {_ROLLED} FROM usage u
    WHERE day = :day GROUP BY 1, 2""",
    """INSERT INTO usage_minute SELECT at_ns / 60000000000, g.status, g.code, count(*), sum(cost_n) FROM usage u
    JOIN usage_group g ON g.id = group_id WHERE day = :day GROUP BY 1, 2, 3""",
    """INSERT INTO usage_charge SELECT day, 'key/' || g.key_id || '\\:day', day * 86400, sum(d.cost_n), sum(d.cost_n)
    FROM usage_day d JOIN usage_group g ON g.id = group_id WHERE day = :day GROUP BY 1, 2, 3
    HAVING sum(d.cost_n) > 0""",
    """INSERT INTO usage_charge SELECT day, 'organisation/default\\:total', 0, sum(cost_n), 0 FROM usage_day
    WHERE day = :day GROUP BY 1""",
)
_AT_LAST = (
    """INSERT INTO ledger (budget_id, period_start, limit_n, posted)
    SELECT budget_id, period_start, sum(charged_n), sum(charged_n) FROM usage_charge GROUP BY 1, 2""",
    """INSERT INTO usage_key SELECT g.key_id, max(d.day) * 86400000000000 FROM usage_day d
    JOIN usage_group g ON g.id = d.group_id GROUP BY 1""",
)


class Stock:
    """A database full of records."""

    def __init__(self, engine: Engine, dialect: Dialect, rows: int, days: int, keys: int) -> None:
        self.engine, self.dialect = engine, dialect
        self.rows, self.days, self.keys = rows, days, keys
        self.now_ns = SystemClock().wall_ns()
        self.begin_ns = self.now_ns - days * DAY_NS
        self.step_ns = days * DAY_NS // rows

    def fill(self) -> None:
        """Make what is not there yet."""
        with self.engine.begin() as connection:
            prepare(connection, self.dialect)
            if connection.execute(text("SELECT count(*) FROM usage_group")).scalar():
                return
            groups = list(self._groups())
            columns = ("id", "digest", *GROUP)
            names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
            connection.execute(text(f"INSERT INTO usage_group ({names}) VALUES ({values})"), groups)
        days = range(self.begin_ns // DAY_NS, self.now_ns // DAY_NS + 1)
        for day in days if self.dialect is Dialect.POSTGRESQL else ():
            with self.engine.begin() as connection:
                for statement in opening(day):
                    connection.exec_driver_sql(statement)
        self._rows()
        for done, day in enumerate(days):
            with self.engine.begin() as connection:
                for statement in _OF_A_DAY:
                    connection.execute(text(statement), {"day": day})
            told(f"rolled up {done + 1} of {len(days)} days")
        with self.engine.begin() as connection:
            for statement in _AT_LAST:
                connection.execute(text(statement))
        self._settle()

    def _rows(self) -> None:
        truths = ("1", "0") if self.dialect is Dialect.SQLITE else ("true", "false")
        statement = _SERIES[self.dialect] + _ROWS.replace("{digits}", _DIGITS)
        statement = statement.replace("{yes}", truths[0]).replace("{no}", truths[1])
        for first in range(0, self.rows, BATCH):
            last = min(first + BATCH, self.rows) - 1
            values = {"first": first, "last": last, "begin": self.begin_ns, "step": self.step_ns, "keys": self.keys}
            with self.engine.begin() as connection:
                connection.execute(text(statement), values)
            told(f"{last + 1:,} of {self.rows:,} records")

    def _groups(self) -> Iterator[dict[str, object]]:
        for key in range(self.keys):
            for variant, (model, feature) in enumerate(itertools.product(MODELS, ("", "search"))):
                for number, (status, code) in enumerate(ENDINGS):
                    group = (
                        f"K{key:011d}", f"owner{key % 50}@example.org", f"service-{key % 40}", f"team-{key % 12}",
                        f"project-{key % 20}", "prod" if key % 3 else "dev", feature, "chat", model, model,
                        "openai" if model == MODELS[0] else "anthropic", status, code,
                    )  # fmt: skip
                    named = dict(zip(GROUP, group, strict=True))
                    yield {"id": 1 + key * 12 + variant * 3 + number, "digest": digest(group), **named}

    def _settle(self) -> None:
        """What a database does by itself after a while."""
        with self.engine.connect() as connection:
            if self.dialect is Dialect.POSTGRESQL:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
            else:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")


def told(line: str) -> None:
    """Progress, on one line."""
    sys.stderr.write(f"\r{line:60}")
    sys.stderr.flush()


async def timed(ask: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of one question: the better of two, as a page that is asked for again."""
    best = float("inf")
    for _ in range(2):
        begun = time.perf_counter()
        await ask()
        best = min(best, (time.perf_counter() - begun) * 1000)
    return best


async def reports(desk: Desk, stock: Stock) -> Iterator[tuple[str, float, str]]:
    """The slowest report of each length of time, and what it was by."""
    now_s = stock.now_ns // 10**9
    kinds = [[], *[[one] for one in usage.GROUPS], *[list(two) for two in itertools.combinations(usage.GROUPS, 2)]]
    kinds += [["service", "model", "feature"], ["team", "project", "environment", "day"], list(usage.GROUPS)]
    found = []
    for name, since_s, unit in (
        ("1 hour", now_s - 3600, usage.HOUR_S), ("36 hours", now_s - 36 * 3600, usage.HOUR_S),
        ("7 days", now_s - 7 * DAY_S, usage.DAY_S), ("30 days", now_s - 30 * DAY_S, usage.DAY_S),
        ("for ever", 0, usage.DAY_S),
    ):  # fmt: skip
        times = []
        for by in kinds:
            took = await timed(lambda by=by: usage.report(desk, by, since_s, now_s + 1, unit))  # type: ignore[misc] # noqa: B023 - awaited here
            times.append((took, ",".join(by) or "all"))
            told(f"usage over {name} by {times[-1][1]}: {took:.0f} ms")
        found.append((f"usage over {name}, {len(times)} reports", *max(times)))
    return iter(found)


async def others(desk: Desk, stock: Stock) -> Iterator[tuple[str, float, str]]:
    """Requests, traces, and what the console's pages read."""
    now, rare = stock.now_ns, f"K{stock.keys - 1:011d}"
    last = (await requests.latest(desk, Wanted(), 1))[0]
    middle = Before(stock.begin_ns + (now - stock.begin_ns) // 2)
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "requests": lambda: requests.latest(desk, Wanted()),
        "requests, a page in the middle": lambda: requests.latest(desk, Wanted(before=middle)),
        "requests of a service": lambda: requests.latest(desk, Wanted(service="service-7")),
        "requests of the rarest key that failed": lambda: requests.latest(desk, Wanted(key=rare, status=502)),
        "requests of a key, in the middle": lambda: requests.latest(desk, Wanted(key=rare, before=middle)),
        "requests by model, status and code": lambda: requests.latest(
            desk, Wanted(model=MODELS[0], status=429, code="insufficient_quota", service="service-3")
        ),
        "requests that nobody made": lambda: requests.latest(desk, Wanted(model="none", status=502)),
        "trace": lambda: requests.trace(desk, last["request_id"]),
        "home: sums by quarter of an hour": lambda: reads.steps(desk, now - now % DAY_NS, HOUR_NS // 4),
        "home: sums by hour": lambda: reads.steps(desk, now - DAY_NS, HOUR_NS),
        "home: speed of the last hour": lambda: reads.speed(desk, now - HOUR_NS),
        "home: codes": lambda: reads.codes(desk, now - HOUR_NS),
        "home: keys today": lambda: reads.by_key(desk, 1),
        "home: budgets": lambda: list_budgets(desk),
        "keys: all, and when each was used": lambda: asyncio.gather(list_keys(desk), reads.last_calls(desk)),
        "requests page: codes and models of its filters": lambda: asyncio.gather(
            reads.codes(desk, now - DAY_NS), reads.models(desk, 7)
        ),
    }
    found = []
    for name, ask in asked.items():
        found.append((name, await timed(ask), ""))
        told(f"{name}: {found[-1][1]:.0f} ms")
    return iter(found)


async def right(desk: Desk, stock: Stock) -> None:
    """The sums that are reported are those of the rows, and of the ledger."""
    report = await usage.report(desk, ["service"], 0, stock.now_ns // 10**9 + 1)
    with stock.engine.begin() as connection:
        count, cost = connection.execute(text("SELECT count(*), sum(cost_n) FROM usage")).one()
    if not (report.equal and report.total["calls"] == count and report.total["cost_n"] == cost):
        raise SystemExit(f"the report says {report.total}, the rows {count} and {cost}")


async def ask_all(store: SqlStore, stock: Stock) -> None:
    """Every question once more than once, and its time."""
    unused: Any = None  # nothing here is drawn by lot or sealed
    desk = Desk(store, SystemClock(), unused, unused, unused)
    await right(desk, stock)
    for part in (reports, others):
        for name, took, what in await part(desk, stock):
            sys.stdout.write(f"{name:50} {took:9.1f} ms  {what}\n")
    await store.close()


def main() -> None:
    """Run once and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--days", type=int, default=90)
    options.add_argument("--keys", type=int, default=1000)
    options.add_argument("--at", type=Path, help="directory of the file; it stays")
    options.add_argument("--url", default="", help="an empty database of a PostgreSQL server instead")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = (chosen.at or Path(name)) / "clavero.db"
        server = bool(chosen.url)
        engine = postgres_engine(chosen.url) if server else sqlite_engine(file)
        dialect = Dialect.POSTGRESQL if server else Dialect.SQLITE
        stock = Stock(engine, dialect, chosen.rows, chosen.days, chosen.keys)
        begun = time.perf_counter()
        stock.fill()
        told(f"filled in {time.perf_counter() - begun:.0f} s\n")
        asyncio.run(ask_all(postgres_store(chosen.url) if server else sqlite_store(file), stock))


if __name__ == "__main__":
    main()
