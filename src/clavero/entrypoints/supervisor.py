"""The supervisor: starts the control plane and the gateway workers, watches them, ends them in order.

It execs its children and forks nothing, needs no database and never waits for one: what kills a silent worker must
work when a process that was stopped inside a transaction holds everybody else up.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from clavero.bootstrap.supervisor import machine_clock
from clavero.domain.reach import read_host
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.certificates import Served
from clavero.entrypoints.child import Child
from clavero.entrypoints.exposure import files_of, pair_of, reach_by
from clavero.entrypoints.hangup import Terminal
from clavero.entrypoints.premises import Premises, write_private
from clavero.entrypoints.processes import Instructions, Ready
from clavero.entrypoints.service_manager import service_manager
from clavero.entrypoints.unsealing import Unsealing
from clavero.settings import Setting, Settings
from clavero.vault.seal import OpenSeal

SLEPT_SECONDS = 5.0  # where we have not looked for so long ourselves, nobody's silence means anything
CATCH_UP_SECONDS = 5.0  # a worker that is slower than this is busy, and serves what it knows


class Opened(Struct, frozen=True):
    """What `clavero up` shows once it serves."""

    gateway_url: str
    admin_url: str
    facts: Mapping[str, str]
    seconds: float
    ca_file: str = ""  # what to trust for these URLs; "" without TLS


class Start(Struct, frozen=True):
    """What the operator said: the settings, where each came from, and the seal that was unlocked."""

    settings: Settings
    sources: tuple[Setting, ...]
    seal: OpenSeal


class Supervisor:
    """Control plane, workers and, in the demo, the simulated provider."""

    def __init__(self, start: Start, premises: Premises, *, demo: bool) -> None:
        settings = self._settings = start.settings
        self._sources = start.sources
        self._seal = start.seal
        self._premises = premises
        self._demo = demo
        pair = pair_of(settings)
        self._certificate = Served(pair, files_of(settings), machine_clock()) if pair else None
        gateway, admin = settings.gateway, settings.admin
        self._gateway_port = premises.hold_port(gateway.port, "gateway-port", read_host(gateway.host))
        outpost = settings.is_outpost
        self._admin_port = 0 if outpost else premises.hold_port(admin.port, "admin-port", read_host(admin.host))
        self._reach = reach_by(settings, self._gateway_port, self._admin_port, pair)
        self._simulator_port = _simulator_port(premises) if demo else 0
        # A person at a terminal is not shown what the children log; a service manager is.
        self._log = premises.open_log() if sys.stderr.isatty() else None
        self._manager = service_manager()
        self._stop = asyncio.Event()
        self._stopped_twice = asyncio.Event()
        self._terminal = Terminal()
        self._workers = [
            self._child(f"gateway-{number}", "clavero.entrypoints.gateway_main")
            for number in range(1, settings.gateway.workers + 1)
        ]
        self._control = (
            self._child("ingest", "clavero.entrypoints.ingest_main", opens=False)
            if outpost
            else self._child("control", "clavero.entrypoints.control_main")
        )
        self._others = [self._child("simulator", "clavero.entrypoints.simulator_main", opens=False)] if demo else []
        self._unsealing = Unsealing(start.seal, self._control, self._workers)

    def _child(self, name: str, module: str, *, opens: bool = True) -> Child:
        """A child; one that opens nothing sealed is told no root key."""

        def instructions(report_fd: int, orders_fd: int) -> Instructions:
            return Instructions(
                settings=self._settings, name=name, report_fd=report_fd, orders_fd=orders_fd, sources=self._sources,
                root_keys=self._seal.keys.values if opens else (), seal=self._seal.kind,
                gateway_port=self._gateway_port, admin_port=self._admin_port,
                reach=self._reach, pair=self._certificate.pair if self._certificate else None,
                simulator_url=f"http://127.0.0.1:{self._simulator_port}" if self._demo else "",
            )  # fmt: skip

        return Child(name, module, instructions, self._log)

    @property
    def _children(self) -> list[Child]:
        return [*self._others, *self._workers, self._control]

    async def run(self, opened: Callable[[Opened], None], draining: Callable[[], None]) -> Exit:
        """Start everything, say so once it serves, watch, and end it in order; `StartFailure` where it cannot."""
        began = time.monotonic()
        self._listen_to_signals()
        running = [asyncio.ensure_future(child.run()) for child in self._children]
        stopped = asyncio.ensure_future(self._stop.wait())
        watching = asyncio.ensure_future(self._watch())
        starting = asyncio.gather(*(child.ready for child in self._children))
        try:
            await _first(starting, stopped)
            if starting.done():
                control = starting.result()[-1]
                await self._caught_up(int(control.facts.get("seq", "0")))
                opened(self._opened(control, time.monotonic() - began))
                self._manager.ready(self._status())
                await self._stop.wait()
                draining()
        finally:
            self._unsealing.close()
            self._manager.stopping()
            starting.cancel()
            stopped.cancel()
            await self._end()
            watching.cancel()  # last: a drain may take longer than a watchdog waits
            await asyncio.gather(*running, starting, stopped, watching, return_exceptions=True)
        return Exit.DONE

    async def _caught_up(self, seq: int) -> None:
        """Wait until every worker knows what was made at the start: the call that is printed must work."""
        until = time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < until and any(worker.seq < seq for worker in self._workers):  # noqa: ASYNC110 - once
            await asyncio.sleep(0.005)

    def _opened(self, control: Ready, seconds: float) -> Opened:
        reach = self._reach
        ca_file = self._publish()
        here = {"gateway": reach.gateway_here, "admin": reach.admin_here, "name": reach.name, "ca_file": ca_file}
        told = {"gateway_url": reach.gateway, "admin_url": reach.admin, "pid": os.getpid(), "here": here}
        write_private(self._premises.data / "run" / "ready.json", msgspec.json.encode(told))
        if self._demo:
            write_private(_port_file(self._premises.data), str(self._simulator_port).encode())
        return Opened(reach.gateway, reach.admin, control.facts, seconds, ca_file)

    def _publish(self) -> str:
        """Lay down the certificate in use, for the programs of this machine to trust; "" without TLS."""
        if self._certificate is None:
            return ""
        file = (self._premises.data / "run" / "certificate.pem").resolve()
        write_private(file, self._certificate.pair.chain)
        return str(file)

    def _status(self) -> str:
        """One line for `systemctl status`."""
        console = f"port {self._admin_port}" if self._admin_port else "elsewhere"
        return f"gateway port {self._gateway_port}, workers {len(self._workers)}, console {console}"

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._told_to_reload)

    def _told_to_stop(self) -> None:
        if self._stop.is_set():
            self._stopped_twice.set()
        self._stop.set()

    def _told_to_reload(self) -> None:
        """Every process reads the pair for itself and says what came of it; a new one starts with the last good."""
        if self._terminal.left:
            self._told_to_stop()
            return
        self._manager.reloading()
        if self._certificate is not None and self._certificate.reload():
            self._publish()
        for child in (*self._workers, self._control):
            child.reload()
        self._manager.ready(self._status())

    async def _watch(self) -> None:
        """Kill who is silent: stopped inside a transaction it would hold up everybody, the control plane too.

        When the whole machine slept, or this process alone, whoever is silent is so because nobody was heard.
        """
        looked = time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            self._manager.alive()
            now = time.monotonic()
            slept, looked = now - looked > SLEPT_SECONDS, now
            for child in (*self._workers, self._control):
                if slept:
                    child.excuse()
                else:
                    child.kill_if_silent()

    async def _end(self) -> None:
        """Workers first, so that the control plane ingests their last frames; a second signal ends all at once."""
        ending = asyncio.ensure_future(self._end_in_order())
        impatient = asyncio.ensure_future(self._stopped_twice.wait())
        await _first(ending, impatient)
        impatient.cancel()
        if not ending.done():
            for child in self._children:
                child.stopping = True
                child.signal(signal.SIGKILL)
        await ending

    async def _end_in_order(self) -> None:
        grace = self._settings.gateway.drain_seconds
        for child in self._children:
            child.stopping = True
        await asyncio.gather(*(child.stop(grace + 2) for child in self._workers))
        await self._control.stop(grace)
        await asyncio.gather(*(child.stop(2) for child in self._others))


async def _first(*awaited: asyncio.Future[Any]) -> None:
    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)


def _port_file(data: Path) -> Path:
    return data / "run" / "simulator.port"


def _simulator_port(premises: Premises) -> int:
    """The simulator keeps its port from start to start, since its credential is sealed for that origin."""
    try:
        return premises.hold_port(int(_port_file(premises.data).read_text()), "gateway-port")
    except (OSError, ValueError, StartFailure):
        return premises.hold_port(0, "gateway-port")
