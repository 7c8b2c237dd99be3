"""What the soak runs against: the demo with several workers, many keys that sleep, and some that are used."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.crowd import crowd

from clavero.settings import environment

_START_SECONDS = 120


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
        wanted = {"name": name, "owner": "asha", "service": "soak", "limit": "$1000/day"}
        return name, str(self.api("POST", "/api/v1/keys", wanted)["secret"])


@contextlib.contextmanager
def opened(folder: Path, workers: int, keys: int, live: int) -> Iterator[Stand]:
    """Start it, fill it while it is stopped, and start it again."""
    with _running(folder, 1) as stand:
        stand.make_key()
    crowd(folder / "data", keys - live, "prod-soak-live00001-01")
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
