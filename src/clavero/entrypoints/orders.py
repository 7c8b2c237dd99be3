"""A child's ear for the orders of its supervisor; they begin when it starts and end when it does."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from clavero.entrypoints.processes import AddRoot, Instructions, KeepRoot, Reporter, Roots, Settled, read_order
from clavero.vault.keyring import RootKeys

_PATIENCE_SECONDS = 60.0  # for a worker that is silent: it is killed before


async def follow(
    descriptor: int, take: Callable[[Roots], None], settled: Callable[[Settled], None] = lambda _told: None
) -> None:
    """Hear orders until the supervisor has gone."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    try:
        async for line in reader:
            match read_order(line):
                case Roots() as roots:
                    take(roots)
                case Settled() as told:
                    settled(told)
    finally:
        transport.close()


class Supervised:
    """The control plane's way to the seal: what it wants goes up one pipe, what became of it comes down the other."""

    def __init__(self, instructions: Instructions, reporter: Reporter) -> None:
        self.kind = instructions.seal
        self.roots = instructions.root_keys
        self._descriptor = instructions.orders_fd
        self._reporter = reporter
        self._waiting: asyncio.Future[Settled] | None = None

    async def listen(self) -> None:
        """Follow orders until cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            await follow(self._descriptor, self._take, self._settled)

    async def add_root(self) -> None:
        """Have a new root key made and spread; `ConnectionError` with the reason where it was not."""
        await self._want(AddRoot())

    async def keep_root(self, name: str, seq: int) -> None:
        """Have every other root key destroyed; `ConnectionError` with the reason where they were not."""
        await self._want(KeepRoot(name, seq))

    async def _want(self, wish: AddRoot | KeepRoot) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        self._reporter.say(wish)
        try:
            told = await asyncio.wait_for(self._waiting, _PATIENCE_SECONDS)
        except TimeoutError:
            raise ConnectionError("a process of this machine did not take the root keys in time") from None
        if told.failure:
            raise ConnectionError(told.failure)

    def _take(self, roots: Roots) -> None:
        self.roots = roots.keys
        self._reporter.holds(RootKeys.of(roots.keys).ids)

    def _settled(self, told: Settled) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(told)
