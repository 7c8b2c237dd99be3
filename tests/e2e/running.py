"""A real clavero for a test: the processes of `clavero up`, in a directory of its own, on free ports."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLAVERO = [sys.executable, "-m", "clavero"]
START_SECONDS = 60
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello in five words."}], "max_tokens": 40}


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A started clavero: its addresses, files and process."""

    data: Path
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        return str(self.ready["gateway_url"])

    @property
    def admin(self) -> str:
        return str(self.ready["admin_url"])

    @property
    def trust(self) -> ssl.SSLContext | None:
        """What its certificate is checked against; None without TLS."""
        if not self.gateway.startswith("https:"):
            return None
        return ssl.create_default_context(cafile=str(self.data / "run" / "certificate.pem"))

    @property
    def key(self) -> str:
        return Path(self.ready["keys"][0]["key_file"]).read_text().strip()

    @property
    def token(self) -> str:
        return Path(self.ready["admin_token_file"]).read_text().strip()

    def post(self, path: str, body: object, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"content-type": "application/json", **given}
        if "authorization" not in sent:
            sent["authorization"] = f"Bearer {self.key}"
        return fetch(self.gateway + path, "POST", sent, raw, self.trust)

    def chat(self, **headers: str) -> Answer:
        return self.post("/v1/chat/completions", CHAT, **headers)

    def chat_with(self, key: str) -> Answer:
        """The same call with another key."""
        return self.chat(authorization=f"Bearer {key}")

    def api(self, method: str, path: str, body: object = None) -> Answer:
        raw = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        return fetch(self.admin + "/api/v1" + path, method, headers, raw, self.trust)

    def cli(self, *words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*CLAVERO, *words], input=stdin, capture_output=True, text=True, timeout=60, check=False,
            env={**self.environ, "CLAVERO_URL": self.admin, "CLAVERO_ADMIN_TOKEN_FILE": self.ready["admin_token_file"]},
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def processes(self) -> list[tuple[int, str]]:
        """Process ids of the children, and the module that each runs."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, ValueError, IndexError):
                continue
            if parent == self.process.pid and len(words) > 2:
                found.append((int(entry.name), words[2].decode().rpartition(".")[2]))
        return sorted(found)

    def children(self) -> dict[str, int]:
        """Process ids of the children by the module they run; of several workers the newest."""
        return {module: pid for pid, module in self.processes()}

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return [pid for pid, module in self.processes() if module == "gateway_main"]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def fetch(
    url: str, method: str, headers: dict[str, str], body: bytes | None, trust: ssl.SSLContext | None = None
) -> Answer:
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60, context=trust) as answer:
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers.items()), error.read())


def clean_environ(home: Path) -> dict[str, str]:
    """An environment without anything of the one who runs the tests, but what Python needs to be found."""
    kept = ("PATH", "LANG", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
    return {"HOME": str(home), **{name: value for name in kept if (value := os.getenv(name))}}  # noqa: TID251 - a test's own


def start(
    data: Path, *flags: str, demo: bool = True, environ: dict[str, str] | None = None, command: list[str] | None = None
) -> Running:
    """Start clavero and wait until it serves; what it printed is shown where it does not."""
    ready = data.with_name(data.name + ".ready.json")
    ready.unlink(missing_ok=True)
    log = data.with_name(data.name + ".log")
    words = ["up", *(["--demo"] if demo else []), "--data-dir", str(data), "--gateway-port", "0", "--admin-port", "0"]
    environ = environ or clean_environ(data.parent)
    with log.open("a") as sink:
        process = subprocess.Popen(
            [*(command or CLAVERO), *words, "--ready-file", str(ready), *flags],
            stdout=sink,
            stderr=sink,
            text=True,
            env=environ,
        )
    until = time.monotonic() + START_SECONDS
    while not ready.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)
    return Running(data, process, json.loads(ready.read_text()), environ)


def wait_for(what: Any, seconds: float = 10.0) -> Any:
    """Ask until the answer is true; an answer that stays false fails the test."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not become true"
        time.sleep(0.02)
    return found
