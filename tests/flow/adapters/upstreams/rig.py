"""A pool with its clock in the test's hand, and a taker that writes down what it hears."""

import asyncio
from contextlib import suppress
from pathlib import Path

from clavero.adapters.ticker import LoopTicker
from clavero.adapters.upstreams.pool import Pool
from clavero.ports.upstreams import Deadlines, Head, Line, Outgoing
from clavero.testing.clock import StoppedClock
from clavero.testing.faults import FaultServer

ASK = Outgoing("POST", "/v1/chat/completions", (("content-type", "application/json"),), b'{"a":1}')


class Heard:
    """What came, in order; `over` once it ended or failed."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.top: Head | None = None
        self.pieces: list[bytes] = []
        self.error: Exception | None = None
        self.over = asyncio.Event()
        self.any = asyncio.Event()
        self.line: Line | None = None
        self.abort_at = ""
        self.pause_at = ""

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def status(self) -> int:
        return self.top.status if self.top else 0

    def head(self, head: Head) -> None:
        self.top = head
        self._note("head")

    def data(self, data: bytes) -> None:
        self.pieces.append(data)
        self._note("data")

    def ended(self) -> None:
        self._note("ended")
        self.over.set()

    def failed(self, error: Exception) -> None:
        self.error = error
        self._note("failed")
        self.over.set()

    async def end(self) -> "Heard":
        await asyncio.wait_for(self.over.wait(), 5)
        return self

    async def something(self) -> None:
        await asyncio.wait_for(self.any.wait(), 5)

    def _note(self, what: str) -> None:
        assert not self.over.is_set(), f"{what} after the end"
        self.order.append(what)
        self.any.set()
        if what == self.abort_at and self.line is not None:
            self.line.abort()
        if what == self.pause_at and self.line is not None:
            self.line.pause()


class Rig:
    """A pool and its time."""

    def __init__(self, extra_ca: Path | None = None, idle_most: int = 256) -> None:
        self.clock = StoppedClock()
        self.ticker = LoopTicker(self.clock)
        self.pool = Pool(self.ticker, extra_ca=extra_ca, idle_most=idle_most)

    def send(
        self,
        origin: str | FaultServer,
        outgoing: Outgoing = ASK,
        deadlines: Deadlines | None = None,
        abort_at: str = "",
    ) -> Heard:
        if isinstance(origin, FaultServer):
            origin = origin.origin
            self.pool.allow(origin, "loopback")
        heard = Heard()
        heard.abort_at = abort_at
        heard.line = self.pool.send(origin, outgoing, heard, deadlines or Deadlines())
        return heard

    async def ask(self, origin: str | FaultServer, outgoing: Outgoing = ASK) -> Heard:
        return await self.send(origin, outgoing).end()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.ticker.sweep()


async def until(condition: object, turns: int = 200) -> None:
    """Let the loop turn until this callable is true."""
    assert callable(condition)
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0.005)
    with suppress(TimeoutError):
        raise AssertionError("it did not become true")
