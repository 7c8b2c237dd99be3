"""Many keys that sleep, each with a budget of its own; and the figures of `clavero bench` among them.

    python -m benchmarks.crowd --keys 100000 --workers 4

Prints what `clavero bench` prints. `crowd` is also how the soak gets its keys: they are put into the database of a
clavero that is stopped, since making so many through the API would take longer than what is to be measured.
"""

import argparse
import contextlib
import sqlite3
import sys
from pathlib import Path
from typing import Any

from clavero.domain.tokens import base62
from clavero.entrypoints.bench_stand import open_stand
from clavero.entrypoints.cli.bench import measure, table

_BATCH = 5_000


def main() -> None:
    """Read the flags, fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--exchanges", type=int, default=10_000)
    flags = parser.parse_args()
    with open_stand("nginx", flags.workers, lambda data: crowd(data, flags.keys - 1, "prod-bench-load-01")) as stand:
        sys.stdout.write(table(measure(stand, flags.rounds, flags.exchanges)) + "\n")


def crowd(data: Path, count: int, like: str) -> None:
    """Put `count` keys beside the one called `like`: other names, ids and hashes, and each a copy of its budget."""
    with contextlib.closing(sqlite3.connect(data / "clavero.db")) as connection:
        connection.row_factory = sqlite3.Row
        key = dict(connection.execute("SELECT * FROM virtual_key WHERE name = ?", (like,)).fetchone())
        budget = dict(connection.execute("SELECT * FROM budget WHERE id LIKE ?", (f"%{key['id']}%",)).fetchone())
        for first in range(0, count, _BATCH):
            with connection:
                for number in range(first, min(count, first + _BATCH)):
                    _put(connection, "virtual_key", _another(key, key["id"], number))
                    _put(connection, "budget", _another(budget, key["id"], number))


def _another(row: dict[str, Any], old: str, number: int) -> dict[str, Any]:
    fresh = base62(62**10 + number, 12)
    told = {name: value.replace(old, fresh) if isinstance(value, str) else value for name, value in row.items()}
    return told | ({"name": f"prod-crowd-asleep{number:06d}-01"} if "versions" in told else {})


def _put(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ",".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({','.join(row)}) VALUES ({marks})", tuple(row.values()))


if __name__ == "__main__":
    main()
