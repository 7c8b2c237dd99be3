"""One child of the supervisor: started by exec, heard, told, started again when it dies, ended."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable

import msgspec

from clavero.domain.startup import StartFailure
from clavero.entrypoints.processes import (
    AddRoot,
    Alive,
    Failed,
    Holds,
    Instructions,
    KeepRoot,
    Order,
    Ready,
    failure_of,
    hand_over,
    read_report,
)
from clavero.settings import environment
from clavero.vault.keyring import RootKeys

SILENT_SECONDS = 20.0  # a child whose loop has not turned for so long is killed; a worker's journal is then read (L27)
DUMB_SECONDS = 60.0  # and one that has not said a word yet: it may be loading, on a machine that is busy
LONGEST_PAUSE = 5.0  # between two starts of a child that keeps dying
MOST_FALSE_STARTS = 4
_UNSERVED_GRACE = 1.0


class Child:
    """One process: started, watched, started again."""

    def __init__(
        self, name: str, module: str, instructions: Callable[[int, int], Instructions], log: int | None
    ) -> None:
        self.name = name
        self.holds: tuple[str, ...] = ()  # names of the root keys that it was given and took
        self.asked: Callable[[AddRoot | KeepRoot], None] = lambda _wish: None
        self._orders = -1
        self._log = log
        self.ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self.stopping = False
        self.seq = 0  # the newest change that it has applied
        self._module = module
        self._instructions = instructions
        self._process: asyncio.subprocess.Process | None = None
        self._heard = time.monotonic()
        self._false_starts = 0
        self._served = self._spoke = False  # in its present life
        self._owed = False  # it has to be told to reload, once it serves

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self) -> None:
        """Keep it running until it is told to stop; a start that fails for a reason ends the supervisor instead."""
        pause = 0.1
        while True:
            self._served = self._spoke = False
            try:
                await self._start()
            except Exception as error:
                if not self.ready.done():  # else the supervisor would wait for it for ever
                    self.ready.set_exception(error)
                raise
            if self.stopping:
                return
            self._false_starts = 0 if self._served else self._false_starts + 1
            if not self.ready.done() and self._false_starts >= MOST_FALSE_STARTS:
                code = self._process.returncode if self._process else None
                self.ready.set_exception(
                    StartFailure("child_died", f"{self.name} ended {code} before it served", "clavero doctor says more")
                )
                return
            pause = 0.1 if self._served else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _start(self) -> None:
        report_reader, report_writer = os.pipe()
        orders_reader = self._new_orders()
        told = self._instructions(report_writer, orders_reader)
        self.holds, self.seq = RootKeys.of(told.root_keys).ids if told.root_keys else (), 0
        instructions = hand_over(told)
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, str(instructions), str(os.getpid()),
                pass_fds=(instructions, report_writer, orders_reader), env=environment(), start_new_session=True,
                stderr=self._log,
            )  # fmt: skip
        finally:
            os.close(instructions)
            os.close(report_writer)
            os.close(orders_reader)
        self._heard = time.monotonic()
        listening = asyncio.ensure_future(self._listen(report_reader))
        await self._process.wait()
        listening.cancel()

    def order(self, order: Order) -> None:
        """Tell it something; one that reads no orders any more is told at its next start."""
        with contextlib.suppress(OSError):
            os.write(self._orders, msgspec.json.encode(order) + b"\n")

    def _new_orders(self) -> int:
        if self._orders >= 0:
            os.close(self._orders)
        reader, self._orders = os.pipe()
        os.set_blocking(self._orders, False)  # nobody waits for a child that does not read
        return reader

    async def _listen(self, descriptor: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
        )
        try:
            async for line in reader:
                self._hear(line)
        finally:
            transport.close()

    def _hear(self, line: bytes) -> None:
        self._heard, self._spoke = time.monotonic(), True
        match read_report(line):
            case Ready() as ready:
                self._served = True
                if self._owed:
                    self.reload()
                if not self.ready.done():
                    self.ready.set_result(ready)
            case Failed() as failed if not self.ready.done():
                self.stopping = True
                self.ready.set_exception(failure_of(failed))
            case Alive() as alive:
                self.seq = alive.seq
            case Holds() as held:
                self.holds = held.roots
            case AddRoot() | KeepRoot() as wish:
                self.asked(wish)

    def excuse(self) -> None:
        """Count its silence from now on: we have not listened."""
        self._heard = time.monotonic()

    def kill_if_silent(self) -> bool:
        """End a process whose loop has stopped turning; its journal is read once its death is certain."""
        patience = SILENT_SECONDS if self._spoke else DUMB_SECONDS
        if self.pid is None or not self.ready.done() or time.monotonic() - self._heard < patience:
            return False
        self.signal(signal.SIGKILL)
        return True

    def reload(self) -> None:
        """Have it read its certificate again; one that is starting, once it serves."""
        self._owed = not self._served
        if self._served:
            self.signal(signal.SIGHUP)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.pid is not None:
            os.kill(self.pid, number)

    async def stop(self, grace: float) -> bool:
        """Ask it to drain and wait; killed when the grace is over. True where it ended by itself.

        One that has not served yet has nothing to drain, and may be waiting for a database that nobody can open.
        """
        self.stopping = True
        grace = grace if self._served else min(grace, _UNSERVED_GRACE)
        if self.pid is None or self._process is None:
            return True
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._process.wait()
            return False
        return True
