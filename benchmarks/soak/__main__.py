"""Runs clavero for a long while under mixed load and says what grew.

    python -m benchmarks.soak --minutes 30 --report soak.txt

Four workers and 100,000 keys, most of which nobody uses; plain calls, streams, streams that are left, refusals of five
kinds, rotations and revocations. Every few seconds each process is looked at: resident memory, file descriptors,
threads; besides them the journal's files and the age of what ingest posts. The report is text, and a chart beside it
with the same name and `.svg`. Prints figures; asserts nothing. `--minutes 2` shows whether the tool works.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

import uvloop
from benchmarks.soak.load import Load
from benchmarks.soak.report import chart, text
from benchmarks.soak.stand import opened
from benchmarks.soak.watch import Watch


def main() -> None:
    """Read the flags, run, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, required=True, help="file for the report; a chart is put beside it")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=200, help="keys that are used")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--folder", type=Path, help="where it keeps its data; left out, a temporary one")
    flags = parser.parse_args()
    if flags.folder:
        flags.folder.mkdir(parents=True, exist_ok=True)
        uvloop.run(_run(flags, flags.folder))
        return
    with tempfile.TemporaryDirectory(prefix="clavero-soak-") as folder:
        uvloop.run(_run(flags, Path(folder)))


async def _run(flags: argparse.Namespace, folder: Path) -> None:
    print(f"Making {flags.keys:,} keys in {folder}", flush=True)
    with opened(folder, flags.workers, flags.keys, flags.live) as stand:
        watch, load = Watch(stand), Load(stand, flags.rate)
        seconds = flags.minutes * 60
        working = asyncio.get_running_loop().create_task(load.run(seconds))
        while not working.done():
            sample = await watch.look()
            done, memory = sum(load.counts.values()), {name: one.rss_mb for name, one in sample.processes.items()}
            print(f"{sample.at:7.0f} s  {done:9,} requests  {json.dumps(memory)}", flush=True)
            await asyncio.wait([working], timeout=max(1.0, min(10.0, seconds / 60)))
        await working
        await watch.look()
        report = text(watch.samples, load, vars(flags))
    flags.report.write_text(report)
    flags.report.with_suffix(".svg").write_text(chart(watch.samples))
    sys.stdout.write(report)


if __name__ == "__main__":
    main()
