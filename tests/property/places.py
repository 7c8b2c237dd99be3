"""Where the worlds stand, for machines of Hypothesis, which take no fixtures.

A directory in memory where there is one, an empty SQLite file to copy, and one PostgreSQL server of this test process
for all worlds in turn.
"""

import atexit
import contextlib
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

import psycopg
from tests.contract.conftest import serving

from clavero.testing.clock import StoppedClock
from clavero.testing.grounds import PostgresGround
from clavero.testing.ledgers import SqliteTestLedger

MEMORY = Path("/dev/shm")


def directory(name: str) -> Path:
    """A new directory: thousands of worlds wait for the disk otherwise, and what they prove is not about it."""
    return Path(tempfile.mkdtemp(prefix=f"clavero-{name}-", dir=MEMORY if MEMORY.is_dir() else None))


@cache
def template() -> Path:
    """An empty database, made once."""
    path = directory("template") / "clavero.db"
    SqliteTestLedger(path, StoppedClock()).close()
    return path


@cache
def server() -> PostgresGround:
    """The ground that every world on PostgreSQL stands on, one after the other."""
    running = contextlib.ExitStack()
    atexit.register(running.close)
    url = running.enter_context(serving())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE worlds")
    return PostgresGround(url.replace("/postgres?", "/worlds?"))


_told: Counter[str] = Counter()


def progress(machine: str) -> None:
    """Say, now and then, how many histories of a machine have ended."""
    _told[machine] += 1
    if _told[machine] % 100 == 0:
        print(f"{machine}: {_told[machine]} histories", flush=True)
