"""A real model behind a real clavero: who serves it, how it was made known, and what it counted itself."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.running import Answer, Running, fetch, wait_for

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv" / "model" / "bin" / "python"
CHAT, EMBEDDINGS = "gemma-chat", "gemma-embeddings"
# Odd prices in nano-USD per million tokens, so that no two mistakes give one sum.
RATES = {"input": 1_370_000_000, "cached": 310_000_000, "output": 7_770_000_000}
_JSON = {"content-type": "application/json"}


@dataclass
class Counters:
    """What the model's server says that it has processed, for all of its callers."""

    prompt: int
    cached: int
    predicted: int

    def __sub__(self, before: "Counters") -> "Counters":
        return Counters(self.prompt - before.prompt, self.cached - before.cached, self.predicted - before.predicted)


@dataclass
class Server:
    """One process of the model's server; it can be killed and started again on its port."""

    purpose: str
    log: Path
    address: str = ""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Load and serve; its log is shown where it does not."""
        assert PYTHON.exists(), "a real model is needed; fix: make nightly installs it (or: make .venv/model/.done)"
        port = self.address.rpartition(":")[2] or "0"
        with self.log.open("a") as sink:
            words = [str(PYTHON), str(Path(__file__).with_name("serve.py")), port, self.purpose]
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=sink, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.log.read_text()[-3000:]

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def post(self, path: str, body: object) -> Answer:
        """Ask it directly."""
        return fetch(self.address + path, "POST", _JSON, json.dumps(body).encode())

    def busy(self) -> bool:
        """Whether it still works on something."""
        slots = fetch(self.address + "/slots", "GET", {}, None).json
        return any(slot["is_processing"] for slot in slots)

    def counters(self) -> Counters:
        """Its own books, once it has nothing left to do."""
        wait_for(lambda: not self.busy(), 60)
        told = fetch(self.address + "/metrics", "GET", {}, None).body.decode()
        found = dict(re.findall(r"^llamacpp:(\w+) (\d+)$", told, re.MULTILINE))
        names = ("prompt_tokens_total", "prompt_tokens_cached_total", "tokens_predicted_total")
        return Counters(*(int(found[name]) for name in names))


@contextmanager
def serving(purpose: str, log: Path) -> Iterator[Server]:
    """A server for one purpose: `chat` or `embeddings`."""
    server = Server(purpose, log)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def introduce(running: Running, name: str, server: Server, model: str) -> None:
    """Make a server known as a reader of the documentation would."""
    running.cli(
        "provider", "add", name, "--kind", "openai_like", "--base-url", server.address,
        "--network", "loopback", "--models", model,
    )  # fmt: skip
    running.cli("credential", "add", name, "--from", "-", stdin="any-text-will-do\n")
    dollars = {kind: str(rate / 10**9) for kind, rate in RATES.items()}
    running.cli(
        "price", "set", f"openai_like/{model}", "--input", dollars["input"], "--output", dollars["output"],
        "--cached", dollars["cached"],
    )  # fmt: skip


@dataclass
class House:
    """A clavero with a real model, and keys with a budget; `short` has a small cap where a caller asks for none."""

    running: Running
    chat: Server
    embeddings: Server
    key: str
    short: str

    def post(self, path: str, body: object, key: str = "") -> Answer:
        """Ask through the gateway."""
        headers = _JSON | {"authorization": f"Bearer {key or self.key}"}
        return fetch(self.running.gateway + path, "POST", headers, json.dumps(body).encode())

    def record(self, request_id: str) -> dict[str, Any]:
        """What is kept of a request."""
        return dict(self.running.api("GET", f"/requests/{request_id}").json)

    @contextmanager
    def kept(self) -> Iterator[Callable[[], dict[str, Any]]]:
        """One exchange, and afterwards what is kept of it; everything before it must have been kept already."""
        known = {row["request_id"] for row in self._rows()}
        found: list[dict[str, Any]] = []
        yield lambda: found[0]
        fresh = wait_for(lambda: [row for row in self._rows() if row["request_id"] not in known])
        assert len(fresh) == 1, fresh
        found.append(self.record(fresh[0]["request_id"]))

    @contextmanager
    def counted(self, server: Server | None = None) -> Iterator[Callable[[], dict[str, Any]]]:
        """One exchange: what we keep of it equals what the server counted meanwhile, by type, and costs that."""
        server = server or self.chat
        before = server.counters()
        with self.kept() as record:
            yield record
        used, tokens = server.counters() - before, record()["tokens"]
        assert tokens == {
            "input": used.prompt, "cached": used.cached, "output": used.predicted, "cache_write": 0, "reasoning": 0
        }  # fmt: skip
        assert not record()["estimated"]
        assert record()["cost_nano_usd"] == price(tokens)

    def _rows(self) -> list[dict[str, Any]]:
        rows = self.running.api("GET", "/requests?limit=20").json["requests"]
        return [row for row in rows if row["endpoint"] != "models"]


def price(tokens: dict[str, int]) -> int:
    """Nano-USD, rounded up once."""
    total = sum(tokens[kind] * rate for kind, rate in RATES.items())
    return -(-total // 10**6)


def key_of(path: Path) -> str:
    """The key that `key create --env-file` wrote."""
    found = re.search(r"^OPENAI_API_KEY=(\S+)$", path.read_text(), re.MULTILINE)
    assert found
    return found.group(1)


def let_in(running: Running, name: str, home: Path, *flags: str) -> str:
    """A new key, once the gateway knows it."""
    file = home / f"{name}.env"
    running.cli("key", "create", name, "--owner", "asha", "--env-file", str(file), *flags)
    key = key_of(file)
    until = time.monotonic() + 10
    while fetch(running.gateway + "/v1/models", "GET", {"authorization": f"Bearer {key}"}, None).status != 200:
        assert time.monotonic() < until
        time.sleep(0.02)
    return key
