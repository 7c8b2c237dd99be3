"""One origin: its network class and the connections to it that wait for the next call, the warmest first."""

import asyncio
from typing import Generic, Protocol, TypeVar

from clavero.adapters.upstreams.egress import Origin
from clavero.adapters.upstreams.tunnel import Via
from clavero.domain.credentials import Network


class Kept(Protocol):
    """A connection that may wait for its next call."""

    generation: int
    transport: asyncio.Transport


C = TypeVar("C", bound=Kept)


class Place(Generic[C]):
    """What is known of an origin, and the proxy that leads there; None for straight calls.

    `generation` grows with each change: older connections are not used again.
    """

    __slots__ = ("generation", "idle", "most", "network", "origin", "way")

    def __init__(self, origin: Origin, network: Network, most: int, way: Via | None = None) -> None:
        self.origin = origin
        self.way = way
        self.network = network
        self.most = most
        self.generation = 0
        self.idle: list[C] = []

    def take(self) -> C | None:
        """The connection that was used last; it is the least likely to have been closed by the other side."""
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    def put(self, connection: C) -> bool:
        """Keep a connection for the next call; False where it is too old or there are enough."""
        if connection.generation != self.generation or len(self.idle) >= self.most:
            return False
        self.idle.append(connection)
        return True

    def forget(self, connection: C) -> None:
        """It has ended."""
        if connection in self.idle:
            self.idle.remove(connection)

    def change(self, network: Network, way: Via | None = None) -> None:
        """The operator says otherwise: nothing that was connected under the old rule is used again."""
        self.network = network
        self.way = way
        self.generation += 1
        idle, self.idle = self.idle, []
        for connection in idle:
            connection.transport.close()
