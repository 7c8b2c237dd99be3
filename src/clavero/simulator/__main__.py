"""`python -m clavero.simulator`: one simulated provider by itself, for drills and benchmarks."""

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

import uvloop

from clavero.simulator import SimulatorSettings, serve


class _MachineClock:
    """The machine's own time: this process is its own composition root."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


async def _run(options: argparse.Namespace) -> None:
    settings = SimulatorSettings(
        first_token=options.first_token_ms / 1000,
        token=options.token_ms / 1000,
        answer_tokens=options.answer_tokens,
        faults=options.faults,
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulator = await serve(options.host, options.port, settings, clock=_MachineClock())
    if options.port_file:
        fresh = options.port_file.with_name(options.port_file.name + ".new")
        fresh.write_text(str(simulator.port))
        fresh.replace(options.port_file)
    sys.stdout.write(f"{simulator.url}\n")
    sys.stdout.flush()
    await stop.wait()
    await simulator.close()


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; the address goes to stdout, the port to `--port-file`."""
    parser = argparse.ArgumentParser(prog="python -m clavero.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--port-file", type=Path, help="write the port there once it serves")
    parser.add_argument("--first-token-ms", type=float, default=150.0)
    parser.add_argument("--token-ms", type=float, default=20.0)
    parser.add_argument("--answer-tokens", type=int, default=0, help="length of an answer; 0 is its natural one")
    parser.add_argument("--faults", action="store_true", help="answer faults in model names, and the drill endpoints")
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
