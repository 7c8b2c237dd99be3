"""What all connections of a listener share: the limits, whom to call, and the counts that keep one caller from all."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from clavero.domain.errors import Problem
from clavero.domain.forwarded import Proxies
from clavero.entrypoints.http.answer import http_date
from clavero.ports.client import Client, Request
from clavero.ports.clock import Clock, Ticker

if TYPE_CHECKING:
    from clavero.entrypoints.http.exchange import Exchange

Handler = Callable[[Request, Client], Awaitable[None]]
Answer = tuple[int, Sequence[tuple[str, str]], bytes]
Refuse = Callable[[Problem, Request | None], Answer]


class Limits(Struct, frozen=True, kw_only=True):
    """How much and how long a caller may. Bytes and seconds; `body_rate` is bytes a second."""

    head_bytes: int = 32 * 1024
    target_bytes: int = 8 * 1024
    fields: int = 100
    handshake_seconds: float = 10.0  # of TLS
    head_seconds: float = 5.0
    body_bytes: int = 10 * 1024 * 1024
    body_rate: int = 1024
    body_grace: float = 10.0  # before the rate counts
    stall_seconds: float = 30.0  # how long a caller may leave an answer unread
    idle_seconds: float = 75.0
    linger_seconds: float = 2.0  # for a refused caller to read why, while what it still sends is thrown away
    late_seconds: float = 10.0  # for an answer to come after its task has ended
    per_address: int = 2048  # connections
    bodies_bytes: int = 256 * 1024 * 1024  # of all bodies that are not whole yet


class Inside(Struct, frozen=True, kw_only=True):
    """What the edge is given: whom to hand a request to, how to word a refusal, where ids and time come from.

    `proxies` speak for many callers, so that the cap for one address is not theirs; `missed` hears the code and address
    of each caller that was let go before its first request.
    """

    handler: Handler
    refuse: Refuse
    new_id: Callable[[], str]
    clock: Clock
    ticker: Ticker
    proxies: Proxies = Proxies()
    missed: Callable[[str, str], None] = lambda _code, _address: None


class Guarded(Protocol):
    """A connection, as far as its server ends it."""

    def drain(self) -> None:
        """End now if nothing is under way, else after it."""

    def end(self) -> None:
        """End now."""


class Edge:
    """The shared state of all connections; it is itself on the ticker, to keep the date."""

    __slots__ = (
        "addresses", "clock", "connections", "date", "deadline", "draining", "handler", "inside", "limits", "loop",
        "new_id", "tasks", "ticker", "unfinished",
    )  # fmt: skip

    def __init__(self, inside: Inside, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.inside = inside
        self.limits = limits
        self.loop = loop
        self.handler = inside.handler
        self.new_id = inside.new_id
        self.clock = inside.clock
        self.ticker = inside.ticker
        self.connections: set[Guarded] = set()
        self.addresses: dict[str, int] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self.unfinished = 0  # bytes of bodies that are not whole yet
        self.date = ""
        self.deadline = 0.0
        self.expire(inside.ticker.now)

    def expire(self, now: float) -> None:
        """Read the date again."""
        self.date = http_date(self.clock.wall_ns())
        self.deadline = now + 1.0

    def enter(self, connection: Guarded, address: str) -> bool:
        """Count a connection in; False where its address has too many."""
        self.connections.add(connection)
        count = self.addresses.get(address, 0) + 1
        self.addresses[address] = count
        return count <= self.limits.per_address or self.inside.proxies.holds(address)

    def leave(self, connection: Guarded, address: str) -> None:
        """Count it out again."""
        self.connections.discard(connection)
        left = self.addresses.get(address, 0) - 1
        if left > 0:
            self.addresses[address] = left
        else:
            self.addresses.pop(address, None)

    def words(self, problem: Problem, request: Request | None) -> Answer:
        """A problem as the rim words it; a bare 500 where the rim itself fails."""
        try:
            return self.inside.refuse(problem, request)
        except Exception as error:  # noqa: BLE001 - the last line: a failure to word a failure must still be an answer
            self.report("a refusal could not be worded", error)
            return 500, (), b""

    def report(self, message: str, error: BaseException) -> None:
        """Tell the loop's handler, which logs it."""
        self.loop.call_exception_handler({"message": message, "exception": error})

    def begin(self, exchange: "Exchange", work: Callable[["Exchange"], Coroutine[Any, Any, None]]) -> None:
        """Start the task of an exchange and keep it."""
        task = exchange.task = self.loop.create_task(work(exchange))
        self.tasks.add(task)
