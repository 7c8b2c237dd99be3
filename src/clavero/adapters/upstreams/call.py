"""One call under way: `ports.Line`. It outlives the connections it is tried on, and ends once.

A handle of its own, not the connection: whoever still holds it after the end can do nothing to the next call there.
"""

import asyncio
from typing import Any, Protocol

from clavero.adapters.upstreams.place import Place
from clavero.domain.calls import ConnectFailed
from clavero.ports.upstreams import Deadlines, Taker


class Carrier(Protocol):
    """The connection that carries a call."""

    def pause(self) -> None:
        """Read no more for now."""

    def resume(self) -> None:
        """Read again."""

    def drop(self) -> None:
        """End the connection; the taker hears nothing."""


class Call:
    """What is asked of whom, until when. While a connection is made its `deadline` is on the ticker."""

    __slots__ = (
        "carrier", "data", "deadline", "deadlines", "dialling", "ended", "paused", "place", "retried", "taker",
        "total_at",
    )  # fmt: skip

    def __init__(self, place: Place[Any] | None, taker: Taker, deadlines: Deadlines, now: float) -> None:
        self.place = place
        self.taker = taker
        self.deadlines = deadlines
        self.data = b""
        self.total_at = now + deadlines.total
        self.deadline = self.total_at
        self.carrier: Carrier | None = None
        self.dialling: asyncio.Task[None] | None = None
        self.paused = False
        self.retried = False
        self.ended = False

    def pause(self) -> None:
        """Stop reading from the provider."""
        self.paused = True
        if self.carrier is not None:
            self.carrier.pause()

    def resume(self) -> None:
        """Read again."""
        self.paused = False
        if self.carrier is not None:
            self.carrier.resume()

    def abort(self) -> None:
        """End it; the taker hears nothing more."""
        if self.ended:
            return
        self.ended = True
        carrier = self.carrier
        self._let_go()
        if carrier is not None:
            carrier.drop()

    def finish(self) -> None:
        """The answer is whole."""
        if not self.ended:
            self.ended = True
            taker = self.taker
            self._let_go()
            taker.ended()

    def fail(self, error: Exception) -> None:
        """It ends without a whole answer."""
        if not self.ended:
            self.ended = True
            taker = self.taker
            self._let_go()
            taker.failed(error)

    def expire(self, now: float) -> None:
        """No connection came in time."""
        del now
        self.fail(ConnectFailed(f"no connection within {self.deadlines.connect:g} s"))

    def _let_go(self) -> None:
        self.carrier = None
        self.data = b""
        if self.dialling is not None:
            self.dialling.cancel()
            self.dialling = None
