"""The stand of `clavero bench`: one core for what is measured, the other for load and upstream; nginx beside it.

CPU is user and system time of a target's processes, summed over their threads' schedstat; a ratio is of two figures of
one round. Several workers share the measured core, as one worker and nginx have it to themselves.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from clavero.domain.startup import StartFailure
from clavero.settings import environment
from clavero.testing.load import post

MEASURED_CORE, OTHER_CORE = 0, 1
_WAIT_SECONDS = 60
_NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000;
  upstream fixed {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port}; client_max_body_size 10m;
    location / {{
      proxy_pass http://fixed; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""
_BODY = json.dumps(
    {"model": "gpt-4o-mini", "max_tokens": 200, "messages": [{"role": "user", "content": "word " * 180}]},
    separators=(",", ":"),
).encode()
_STREAMED = _BODY[:-1] + b',"stream":true}'
_TRANSLATED = _BODY.replace(b"gpt-4o-mini", b"claude-sonnet-4-5")  # asked in one dialect, answered in another
CHUNKS = 100


class Run(Struct, frozen=True):
    """One run of load against one target."""

    answers: dict[str, int]
    broken: int
    seconds: float
    p50_us: int
    p99_us: int

    @property
    def count(self) -> int:
        """Answers with status 200."""
        return self.answers.get("200", 0)


class Stand:
    """Upstream, nginx and a clavero with budgets at five levels, all running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[str, int] = {}
        self.pids: dict[str, list[int]] = {}

    @property
    def data(self) -> Path:
        """The data directory of the clavero that is measured."""
        return self.folder / "data"

    def cpu_ns(self, target: str) -> int:
        """CPU that a target's processes have used."""
        tasks = [task for pid in self.pids[target] for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def rss_kib(self, target: str) -> int:
        """Resident memory of a target's processes, the largest."""
        told = [Path(f"/proc/{pid}/status").read_text() for pid in self.pids[target]]
        return max(int(status.partition("VmRSS:")[2].split()[0]) for status in told)

    def load(
        self, target: str, total: int, *, kind: str = "plain", per_second: float = 0.0, connections: int = 32
    ) -> Run:
        """Send requests of a kind (plain, stream, translated) to a target and wait for the answers."""
        file = self.folder / f"{kind}.request"
        words = [str(self.ports[target]), str(file), str(total), str(connections), str(per_second), str(OTHER_CORE)]
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "clavero.testing.load", *words],
            capture_output=True,
            check=True,
            env=environment(),
            timeout=300,
        )
        return Run(**json.loads(done.stdout))


@contextmanager
def open_stand(nginx: str, workers: int = 1, fill: Callable[[Path], None] | None = None) -> Iterator[Stand]:
    """Start everything; `StartFailure` with the remedy where nginx or a second core is missing.

    `fill` is handed the data directory while nothing runs on it, once the bench's own key and budgets are there.
    """
    found = shutil.which(nginx) or shutil.which(nginx, path="/usr/sbin:/sbin")
    if found is None:
        raise StartFailure("nginx_missing", f"{nginx} is not here to compare with", "apt-get install nginx-light")
    if len(os.sched_getaffinity(0)) < 2:
        raise StartFailure("one_core", "the bench needs two cores", "run it where there are two")
    with tempfile.TemporaryDirectory(prefix="clavero-bench-") as name, ExitStack() as stack:
        stand = Stand(Path(name))
        _start_upstream(stand, stack)
        _start_nginx(stand, stack, found)
        with ExitStack() as first:
            key = _govern(_start_clavero(stand, first, 1), stand.ports["direct"])
        if fill is not None:
            fill(stand.data)
        _start_clavero(stand, stack, workers)
        headers = {"authorization": f"Bearer {key}"}
        for file, body in (("plain", _BODY), ("stream", _STREAMED), ("translated", _TRANSLATED)):
            (stand.folder / f"{file}.request").write_bytes(post("bench", "/v1/chat/completions", headers, body))
        yield stand


def _start_upstream(stand: Stand, stack: ExitStack) -> None:
    file = stand.folder / "upstream.port"
    process = _spawn(stack, [sys.executable, "-m", "clavero.simulator.fixed", str(file), str(OTHER_CORE)])
    stand.ports["direct"] = int(_wait_for(file, process))
    stand.pids["direct"] = [process.pid]


def _start_nginx(stand: Stand, stack: ExitStack, nginx: str) -> None:
    port = _free_port()
    config = stand.folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=stand.folder, upstream=stand.ports["direct"], port=port))
    process = _spawn(stack, ["taskset", "-c", str(MEASURED_CORE), nginx, "-c", str(config), "-p", str(stand.folder)])
    _wait_for(stand.folder / "nginx.pid", process)
    stand.ports["nginx"] = port
    stand.pids["nginx"] = _children(process.pid)[:1]


def _start_clavero(stand: Stand, stack: ExitStack, workers: int) -> dict[str, Any]:
    ready = stand.folder / "ready.json"
    ready.unlink(missing_ok=True)
    words = ["up", "--data-dir", str(stand.data), "--gateway-port", "0", "--admin-port", "0", "--workers", str(workers)]
    process = _spawn(stack, [sys.executable, "-m", "clavero", *words, "--ready-file", str(ready)])
    told: dict[str, Any] = json.loads(_wait_for(ready, process))
    stand.ports["clavero"] = int(told["gateway_url"].rpartition(":")[2])
    stand.pids["clavero"] = []
    for pid in _children(process.pid):
        worker = b"gateway_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        os.sched_setaffinity(pid, {MEASURED_CORE if worker else OTHER_CORE})
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {MEASURED_CORE if worker else OTHER_CORE})
        if worker:
            stand.pids["clavero"].append(pid)
    return told


def _govern(told: dict[str, Any], upstream: int) -> str:
    """Two providers with credentials, a key, and a budget at each of five levels."""
    token = Path(told["admin_token_file"]).read_text().strip()

    def api(method: str, path: str, body: Mapping[str, object]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own loopback
            f"{told['admin_url']}/api/v1{path}", json.dumps(body).encode(), method=method,
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
            return json.loads(answer.read() or b"null")

    base = f"http://127.0.0.1:{upstream}"
    for name, kind, model in (("fixed", "openai", "gpt-4o-mini"), ("other", "anthropic", "claude-sonnet-4-5")):
        api(
            "POST",
            "/providers",
            {"name": name, "kind": kind, "base_url": base, "network": "loopback", "models": [model]},
        )
        api("POST", f"/providers/{name}/credential", {"secret": "not-a-real-key-" + "0" * 20})
    made = api("POST", "/keys", {"name": "prod-bench-load-01", "owner": "bench", "team": "bench", "project": "bench"})
    service = made["key"]["service"]
    levels = (
        ("organisation", ""),
        ("team", "bench"),
        ("project", "bench"),
        ("service", service),
        ("key", "prod-bench-load-01"),
    )
    for subject, name in levels:
        api("PUT", "/budgets", {"subject": subject, "name": name, "window": "month", "limit_usd": "1000000"})
    return str(made["secret"])


def _spawn(stack: ExitStack, words: list[str]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())  # noqa: S603 - ours
    stack.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(file: Path, process: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + _WAIT_SECONDS
    while not (file.exists() and file.read_text()):
        if process.poll() is not None or time.monotonic() > until:
            raise StartFailure("bench_failed", f"{process.args!r} did not start", "run it by hand to see why")
        time.sleep(0.01)
    return file.read_text()


def _children(pid: int) -> list[int]:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if found:
            return [int(child) for child in found]
        time.sleep(0.01)
    return []


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
