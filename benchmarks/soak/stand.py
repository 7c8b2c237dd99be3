"""What the soak runs against: the demo with several workers, many keys that sleep, and some that are used."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clavero.domain.tokens import base62
from clavero.settings import environment

_START_SECONDS = 120
_BATCH = 5_000


@dataclass
class Stand:
    """A running clavero: its addresses, its process, and the keys that may be used."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    ready: dict[str, Any]
    live: list[tuple[str, str]] = field(default_factory=list)  # name, secret
    made: int = 0

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    @property
    def gateway(self) -> tuple[str, int]:
        """Host and port of the gateway."""
        host, _, port = str(self.ready["gateway_url"]).removeprefix("http://").partition(":")
        return host, int(port)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control plane; blocks."""
        token = Path(self.ready["admin_token_file"]).read_text().strip()
        raw = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.ready['admin_url']}{path}", raw, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null") if "json" in answer.headers.get("content-type", "") else None

    def make_key(self) -> tuple[str, str]:
        """A new key with a budget of its own, ready to be used."""
        self.made += 1
        name = f"prod-soak-live{self.made:05d}-01"
        wanted = {"name": name, "owner": "soak", "service": "soak", "limit": "$1000/day"}
        return name, str(self.api("POST", "/api/v1/keys", wanted)["secret"])


@contextlib.contextmanager
def opened(folder: Path, workers: int, keys: int, live: int) -> Iterator[Stand]:
    """Start it, fill it while it is stopped, and start it again."""
    with _running(folder, 1) as stand:
        stand.make_key()
    _fill(folder / "data" / "clavero.db", keys - live)
    with _running(folder, workers) as stand:
        stand.made = 1
        stand.live = [stand.make_key() for _ in range(live)]
        yield stand


@contextlib.contextmanager
def _running(folder: Path, workers: int) -> Iterator[Stand]:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    words = [
        "up", "--demo", "--data-dir", str(folder / "data"), "--gateway-port", "0", "--admin-port", "0",
        "--workers", str(workers), "--ready-file", str(ready),
    ]  # fmt: skip
    with (folder / "clavero.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "clavero", *words],
            stdout=log,
            stderr=log,
            env={**environment(), "CLAVERO_LOG_ACCESS": "false"},
        )
    try:
        until = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"clavero did not start; {folder / 'clavero.log'} says why")
            time.sleep(0.05)
        yield Stand(folder, process, json.loads(ready.read_text()))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _fill(database: Path, count: int) -> None:
    """Many keys that differ from the last one made in name, id and hash alone, each with its budget."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        key = dict(connection.execute("SELECT * FROM virtual_key WHERE name LIKE 'prod-soak-%'").fetchone())
        budget = connection.execute("SELECT * FROM budget WHERE id LIKE ?", (f"%{key['id']}%",)).fetchone()
        for first in range(0, count, _BATCH):
            with connection:
                for number in range(first, min(count, first + _BATCH)):
                    _put(connection, "virtual_key", _another(key, key["id"], number))
                    _put(connection, "budget", _another(dict(budget), key["id"], number))


def _another(row: dict[str, Any], old: str, number: int) -> dict[str, Any]:
    fresh = base62(62**10 + number, 12)
    told = {name: value.replace(old, fresh) if isinstance(value, str) else value for name, value in row.items()}
    return told | ({"name": f"prod-soak-asleep{number:06d}-01"} if "versions" in told else {})


def _put(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ",".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({','.join(row)}) VALUES ({marks})", tuple(row.values()))
