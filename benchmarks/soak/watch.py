"""Looks at the processes and files of a running clavero."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.soak.stand import Stand

_MB = 1024 * 1024


@dataclass(frozen=True)
class Process:
    """One process: resident memory, the part of it that is no file, descriptors and threads."""

    rss_mb: float
    anonymous_mb: float
    descriptors: int
    threads: int


@dataclass(frozen=True)
class Sample:
    """Everything at one moment, seconds since the first."""

    at: float
    processes: dict[str, Process]
    segments: int
    journal_mb: float
    database_mb: float
    lag_seconds: float
    open_holds: int
    rejects: int


@dataclass
class Watch:
    """Takes samples of one stand."""

    stand: Stand
    samples: list[Sample] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def look(self) -> Sample:
        """One sample, kept."""
        metrics = await asyncio.to_thread(_metrics, self.stand)
        data = self.stand.data
        segments = [file.stat().st_size for file in data.glob("journal/**/*.seg") if file.exists()]
        databases = [file.stat().st_size for file in data.glob("clavero.db*") if file.exists()]
        sample = Sample(
            at=round(time.monotonic() - self.began, 1),
            processes=_processes(self.stand.process.pid),
            segments=len(segments),
            journal_mb=round(sum(segments) / _MB, 1),
            database_mb=round(sum(databases) / _MB, 1),
            lag_seconds=metrics.get("clavero_ingest_lag_seconds", 0.0),
            open_holds=int(metrics.get("clavero_open_holds", 0)),
            rejects=int(metrics.get("clavero_journal_rejects", 0)),
        )
        self.samples.append(sample)
        return sample


def _metrics(stand: Stand) -> dict[str, float]:
    import urllib.request

    with urllib.request.urlopen(f"{stand.ready['admin_url']}/metrics", timeout=30) as answer:
        told = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(clavero_\w+) ([-+.\deE]+)$", told, re.MULTILINE)}


def _processes(supervisor: int) -> dict[str, Process]:
    """The supervisor and its children by what they run; workers are numbered in the order of their start."""
    found = {"supervisor": _process(supervisor)}
    for pid in sorted(
        int(child) for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    ):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        module = words[2].decode().rpartition(".")[2].removesuffix("_main") if len(words) > 2 else str(pid)
        name = module if module != "gateway" else f"worker {sum('worker' in known for known in found) + 1}"
        found[name] = _process(pid)
    return found


def _process(pid: int) -> Process:
    status = Path(f"/proc/{pid}/status").read_text()
    field = {name: int(value) for name, value in re.findall(r"^(VmRSS|RssAnon|Threads):\s+(\d+)", status, re.MULTILINE)}
    return Process(
        rss_mb=round(field["VmRSS"] / 1024, 1),
        anonymous_mb=round(field["RssAnon"] / 1024, 1),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=field["Threads"],
    )
