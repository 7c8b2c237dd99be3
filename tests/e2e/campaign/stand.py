"""The stand of a campaign: a simulated provider of its own, a clavero with four workers, keys, budgets and callers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.campaign.arming import Arsenal
from tests.e2e.campaign.ledgers import Books
from tests.e2e.campaign.load import OVERRUN, OVERRUN_TOKENS, PARTS, Load
from tests.e2e.running import Answer, Running, clean_environ, fetch, start, wait_for

NANO = 10**9
WORKERS = 4
PROVIDER = "own"
_TIGHT_STEP = 60_000  # nano-USD by which the tight budget is raised: a few calls
_TIGHT_EVERY_NS = 1_000_000_000
_OVERRUN_LIMIT = 20_000_000  # nano-USD; its callers pass it after a while, by overruns alone
_PLENTY = "1000"  # US dollars

Say = Callable[[str], None]


@dataclass
class Provider:
    """The simulated provider, in a process that nobody kills."""

    process: subprocess.Popen[str]
    address: str

    @classmethod
    def begin(cls, folder: Path) -> "Provider":
        port = folder / "provider.port"
        words = ["--faults", "--first-token-ms", "15", "--token-ms", "4", "--port-file", str(port)]
        process = subprocess.Popen(
            [sys.executable, "-m", "clavero.simulator", *words], stdout=subprocess.DEVNULL, text=True,
            env=clean_environ(folder),
        )  # fmt: skip
        wait_for(port.exists, 20)
        provider = cls(process, f"http://127.0.0.1:{port.read_text()}")
        planned = {"fault": "overrun", "value": OVERRUN_TOKENS, "model": OVERRUN, "times": 0}
        assert fetch(f"{provider.address}/simulator/faults", "POST", {}, json.dumps(planned).encode()).status == 200
        return provider

    def invoice(self) -> dict[str, Any]:
        """What it billed, by model."""
        found: dict[str, Any] = fetch(f"{self.address}/simulator/invoice", "GET", {}, None).json["by_model"]
        return found

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@dataclass
class Stand:
    """Everything that runs, and what is known of it."""

    folder: Path
    url: str
    arsenal: Arsenal
    provider: Provider
    running: Running
    books: Books
    keys: dict[str, str] = field(default_factory=dict)  # part: secret
    kids: dict[str, str] = field(default_factory=dict)  # part: public id
    limits: list[tuple[int, int]] = field(default_factory=list)  # of the tight budget: in force from (UTC ns), nano-USD
    told: list[str] = field(default_factory=list)  # names of changes that were acknowledged
    load: Load | None = None
    quiet: dict[str, int] = field(default_factory=dict)  # what callers noticed while only the control plane died
    slowest: float = 0.0  # seconds from arming a point of the control plane to a death there
    faults: list[str] = field(default_factory=list)  # sums that did not hold at some commit

    @classmethod
    def begin(cls, folder: Path, url: str = "", data: Path | None = None, silent_seconds: float = 20.0) -> "Stand":
        """Start everything; `url` is a PostgreSQL server's, `data` the data directory where it is elsewhere.

        `silent_seconds` is how long the supervisor lets a child be silent.
        """
        folder.mkdir(parents=True, exist_ok=True)
        data = data or folder / "data"
        arsenal = Arsenal(folder / "points", silent_seconds)
        provider = Provider.begin(folder)
        try:
            running = _start(data, arsenal.environment(_environ(folder, url)))
        except BaseException:
            provider.end()
            raise
        stand = cls(folder, url, arsenal, provider, running, Books(data, url))
        try:
            stand._furnish()
        except BaseException:
            stand.end()
            raise
        return stand

    def begin_load(self, *, slower: float = 1.0) -> Load:
        """Let the callers begin, and wait until each kind was answered."""
        load = self.load = Load(self.address, self.keys, slower=slower)
        try:
            wait_for(lambda: {"plain", "streams", "tight", "overruns"} <= set(load.tally.answered.values()), 30)
        except AssertionError:
            raise AssertionError(f"not every kind of caller was answered: {progress(self, 'load', 0, 0)}") from None
        return load

    @property
    def address(self) -> str:
        """Host and port of the gateway."""
        return self.running.gateway.removeprefix("http://")

    def workers(self) -> list[int]:
        """Process ids of the workers that run."""
        return [pid for pid, module in self.running.processes() if module == "gateway_main"]

    def control(self) -> int | None:
        """Process id of the control plane, while it runs."""
        return next((pid for pid, module in self.running.processes() if module == "control_main"), None)

    def serving(self) -> bool:
        """Whether all workers and the control plane are there, and the latter answers."""
        return len(self.workers()) == WORKERS and self.ask("GET", "/status") is not None

    def ask(self, method: str, path: str, body: object = None) -> Answer | None:
        """One call of the admin API; None where nobody answered, or not well."""
        try:
            answer = self.running.api(method, path, body)
        except OSError:
            return None
        return answer if answer.status < 300 else None

    def raise_tight(self) -> None:
        """Give the tight budget a little more, now and then: it is to be short most of the time."""
        if time.time_ns() - self.limits[-1][0] < _TIGHT_EVERY_NS:
            return
        posted = {row.budget: row.posted for row in self.books.ledger()}
        limit = max(posted.get(f"key/{self.kids['tight']}:forever", 0), self.limits[-1][1]) + _TIGHT_STEP
        begun = time.time_ns()
        if self.ask("PUT", "/budgets", _limit("prod-tight-01", limit)) is not None:
            self.limits.append((time.time_ns(), limit))
        else:  # it may have been made all the same: from then on only the former limit is certain
            self.limits.append((begun, self.limits[-1][1]))

    def change(self, number: int) -> None:
        """Make a team; remember it where that was acknowledged."""
        name = f"team-{number}"
        if self.ask("POST", "/teams", {"name": name}) is not None:
            self.told.append(name)

    def check_sums(self) -> None:
        """Look at the books once: what must hold at each commit."""
        self.faults += self.books.faults()

    def restart(self) -> None:
        """Start again what was killed whole, in the same place."""
        wait_for(lambda: not self.running.processes(), 20)
        self.running = _start(self.running.data, self.running.environ)
        if self.load is not None:
            self.load.address = self.address

    def end(self) -> int:
        """Stop everything in order; the exit code of clavero."""
        if self.load is not None:
            self.load.stop()
        try:
            return self.running.stop()
        finally:
            self.provider.end()

    def log(self) -> str:
        """What clavero has logged."""
        return self.running.data.with_name(self.running.data.name + ".log").read_text()

    def _furnish(self) -> None:
        made = {"name": PROVIDER, "kind": "openai_like", "base_url": self.provider.address, "network": "loopback"}
        self._must("POST", "/providers", {**made, "models": ["gpt-*"]})
        self._must("POST", f"/providers/{PROVIDER}/credential", {"secret": "own-key-1"})
        for model in ("gpt-4o-mini", "gpt-4o", OVERRUN):
            self._must("PUT", f"/prices/{PROVIDER}/{model}", {"input": "0.15", "output": "0.6"})
        self._must("PUT", "/budgets", {"subject": "organisation", "window": "forever", "limit_usd": _PLENTY})
        for part in PARTS:
            name = f"prod-{part.name}-01"
            key = self._must("POST", "/keys", {"name": name, "owner": "asha"})
            self.keys[part.name], self.kids[part.name] = key["secret"], key["key"]["kid"]
            limit = {"tight": _TIGHT_STEP, "overruns": _OVERRUN_LIMIT}.get(part.name, NANO * int(_PLENTY))
            self._must("PUT", "/budgets", _limit(name, limit))
        self.limits.append((time.time_ns(), _TIGHT_STEP))
        wait_for(self._caught_up)

    def _caught_up(self) -> bool:
        """Whether every worker knows the newest change."""
        status = self.running.api("GET", "/status").json
        return all((worker["applied_seq"] or 0) >= status["seq"] for worker in status["workers"])

    def _must(self, method: str, path: str, body: object) -> Any:
        answer = self.running.api(method, path, body)
        assert answer.status in {200, 201}, answer.body
        return answer.json


def kill(pid: int) -> None:
    """Kill a process that may have gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def progress(stand: Stand, leg: str, done: int, wanted: int) -> str:
    """One line of how far a leg has come."""
    tally = stand.load.tally if stand.load else None
    status = stand.ask("GET", "/status")
    lag = status.json["ingest_lag_ms"] if status is not None else None
    if tally is None:
        return f"{leg}: {done}/{wanted}"
    return (
        f"{leg}: {done}/{wanted} · calls {tally.calls} · refused {json.dumps(tally.of(*(p.name for p in PARTS)))}"
        f" · broken {tally.broken} · ingest lag {lag} ms"
    )


def _limit(name: str, limit: int) -> dict[str, object]:
    return {"subject": "key", "name": name, "window": "forever", "limit_usd": f"{limit / NANO:.9f}"}


def _environ(folder: Path, url: str) -> dict[str, str]:
    return {**clean_environ(folder), **({"DATABASE_URL": url} if url else {})}


def _start(data: Path, environ: dict[str, str]) -> Running:
    return start(data, "--workers", str(WORKERS), demo=False, environ=environ)
