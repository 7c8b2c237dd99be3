"""One timer for all deadlines: every 100 ms a sweep over what has one, and a clock that is cheap to read.

Setting a deadline is an attribute write; a timer of the loop for each would cost twenty times as much. The price is an
error of at most one interval, so what must be more exact than that takes a timer of its own.
"""

import asyncio
from math import inf

from clavero.ports.clock import Clock, Mortal


class LoopTicker:
    """Sweeps on the running loop once started; `sweep` may also be called by hand."""

    __slots__ = ("_clock", "_interval", "_living", "_loop", "_timer", "lag", "now")

    def __init__(self, clock: Clock, interval: float = 0.1) -> None:
        self._clock = clock
        self._interval = interval
        self._living: set[Mortal] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.now = clock.monotonic_ns() / 1e9
        self.lag = 0.0  # seconds by which the last sweep came late: how long the loop was busy

    def start(self) -> None:
        """Sweep from now on, until `stop`."""
        self._loop = asyncio.get_running_loop()
        self.now = self._clock.monotonic_ns() / 1e9
        self._timer = self._loop.call_later(self._interval, self._tick)

    def stop(self) -> None:
        """Sweep no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop = None

    def add(self, thing: Mortal) -> None:
        """Watch the deadline of this."""
        self._living.add(thing)

    def discard(self, thing: Mortal) -> None:
        """Watch it no more."""
        self._living.discard(thing)

    def sweep(self) -> None:
        """Read the clock and expire what is due."""
        now = self.now = self._clock.monotonic_ns() / 1e9
        for thing in [thing for thing in self._living if thing.deadline <= now]:
            if thing in self._living:  # another's end may have taken it away
                self._expire(thing, now)

    def _tick(self) -> None:
        if self._loop is None:
            return
        before = self.now
        self._timer = self._loop.call_later(self._interval, self._tick)
        self.sweep()
        self.lag = max(0.0, self.now - before - self._interval)

    def _expire(self, thing: Mortal, now: float) -> None:
        try:
            thing.expire(now)
        except Exception as error:  # noqa: BLE001 - one thing's failure must not cost all others their deadlines
            thing.deadline = inf
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a deadline could not be kept", "exception": error}
            )
