"""What is known so far of one exchange, and the exchanges that are under way.

A trail is filled by the stages in their order and read once, by `record`. Whoever ends an exchange early from outside
(a revocation, a stop) says so to its trail; the caller's own leaving cancels the task instead.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import Problem
from clavero.domain.keys import KeyVersion
from clavero.domain.routing import Target
from clavero.domain.usage import Attempt
from clavero.gateway.view import Grant
from clavero.ports.client import Client, Request
from clavero.wire.ask import Ask

if TYPE_CHECKING:
    from clavero.gateway.reserve import Hold


class Trail:
    """One exchange: its request, what the stages found, and how it ended. Times are monotonic nanoseconds."""

    __slots__ = (
        "ask", "attempts", "client", "endpoint", "estimated", "feature", "first_token_ns", "grant", "hold",
        "interrupt", "left", "problem", "reply", "request", "settled", "started", "status", "target", "targets",
        "version",
    )  # fmt: skip

    def __init__(self, request: Request, client: Client, endpoint: Endpoint) -> None:
        self.request = request
        self.client = client
        self.endpoint = endpoint
        self.grant: Grant | None = None
        self.version: KeyVersion | None = None
        self.ask: Ask | None = None
        self.feature = ""
        self.targets: tuple[Target, ...] = ()
        self.target: Target | None = None
        self.hold: Hold | None = None
        self.attempts: list[Attempt] = []
        self.first_token_ns = 0
        self.started = False  # whether a byte of the answer has gone to the caller
        self.estimated = False  # the provider said nothing of its usage
        self.status = 0  # what the caller sees
        self.reply = b""  # an answer of our own
        self.problem: Problem | None = None
        self.left = False  # the caller went away
        self.settled = False  # its last row is queued
        self.interrupt: Callable[[Problem], None] | None = None

    def let_go(self) -> None:
        """Keep what was asked no longer: a stream may stay open for minutes, and nothing is asked again."""
        self.request.body = b""
        if self.ask is not None:
            self.ask.tree = {}

    def stop(self, problem: Problem) -> None:
        """End it from outside: at once while it calls, else before its next step."""
        if self.problem is None:
            self.problem = problem
        if self.interrupt is not None:
            self.interrupt(problem)


class UnderWay:
    """The exchanges of this worker that have not ended."""

    def __init__(self) -> None:
        self._trails: set[Trail] = set()

    def __len__(self) -> int:
        return len(self._trails)

    def __iter__(self) -> Iterator[Trail]:
        return iter(list(self._trails))

    def add(self, trail: Trail) -> None:
        """An exchange begins."""
        self._trails.add(trail)

    def discard(self, trail: Trail) -> None:
        """An exchange ended."""
        self._trails.discard(trail)

    def of_key(self, kid: str) -> list[Trail]:
        """The exchanges that a key has under way."""
        return [trail for trail in self._trails if trail.grant is not None and trail.grant.key.id == kid]
