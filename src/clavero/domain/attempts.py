"""When to call again, whom, and how long to wait before: a pure machine over a table.

States are the calls made so far; an event is how a call ended; the answer is one of `Call`, `Wait`, `Stop`. Waits are
decorrelated jitter, `min(cap, uniform(base, 3 x previous))` (Brooker 2015), or the provider's Retry-After. Nothing is
tried again once a byte has reached the caller: that is the caller of this machine's to know.
"""

from collections.abc import Callable
from enum import Enum

from msgspec import Struct


class Ending(Enum):
    """How one call ended, as far as the next step depends on it."""

    OVERLOADED = "overloaded"  # 429, 503 with Retry-After
    BROKEN = "broken"  # 500, 502, 503, connection lost or refused
    SILENT = "silent"  # a deadline passed
    UNAUTHORISED = "unauthorised"  # our credential was refused
    TOO_LONG = "too_long"  # the context does not fit this model
    REFUSED = "refused"  # 4xx: the request itself
    CONTENT = "content"  # a content policy: never routed around


class Then(Enum):
    """What an ending leads to."""

    AGAIN = "again"
    NEXT = "next"
    STOP = "stop"


# A silent target would be silent again; a request that is refused would be refused again; a provider's content policy
# is not ours to evade.
TABLE = {
    Ending.OVERLOADED: Then.AGAIN,
    Ending.BROKEN: Then.AGAIN,
    Ending.SILENT: Then.NEXT,
    Ending.UNAUTHORISED: Then.NEXT,
    Ending.TOO_LONG: Then.NEXT,
    Ending.REFUSED: Then.STOP,
    Ending.CONTENT: Then.STOP,
}


class Call(Struct, frozen=True):
    """Call the target with this index now."""

    target: int


class Wait(Struct, frozen=True):
    """Wait so many seconds, then call the target with this index."""

    seconds: float
    target: int


class Stop(Struct, frozen=True):
    """Give the last failure to the caller."""


Step = Call | Wait | Stop


class Rules(Struct, frozen=True):
    """How patient the machine is. Seconds; `per_target` counts the first call too."""

    per_target: int = 3
    base: float = 0.25
    cap: float = 8.0
    longest_retry_after: float = 30.0


class RetryBudget:
    """What keeps retries from multiplying an outage: a tenth of a retry is earned by each success, ten are in stock."""

    def __init__(self, stock: int = 10) -> None:
        self._tenths = self._most = stock * 10

    def succeed(self) -> None:
        """Earn a tenth of a retry."""
        self._tenths = min(self._most, self._tenths + 1)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        if self._tenths < 10:
            return False
        self._tenths -= 10
        return True


class Attempts:
    """The calls of one exchange: `targets` in order of preference, each with the retry budget of its upstream."""

    def __init__(self, budgets: list[RetryBudget], rules: Rules, uniform: Callable[[float, float], float]) -> None:
        self._budgets = budgets
        self._rules = rules
        self._uniform = uniform
        self._target = 0
        self._calls = 1
        self._pause = rules.base

    def ended(self, ending: Ending, remaining: float, retry_after: float | None = None) -> Step:
        """What follows a call that ended badly, with so many seconds left in all."""
        then = TABLE[ending]
        if then is Then.AGAIN and self._calls < self._rules.per_target:
            pause = self._wait(retry_after)
            if pause < remaining and pause <= self._rules.longest_retry_after and self._budgets[self._target].spend():
                self._calls += 1
                return Wait(pause, self._target)
        if then is Then.STOP or self._target + 1 >= len(self._budgets) or remaining <= 0:
            return Stop()
        self._target += 1
        self._calls = 1
        self._pause = self._rules.base
        return Call(self._target)

    def answered(self) -> None:
        """The call went well: its upstream earns."""
        self._budgets[self._target].succeed()

    def _wait(self, retry_after: float | None) -> float:
        if retry_after is not None:
            return retry_after
        self._pause = min(self._rules.cap, self._uniform(self._rules.base, 3 * self._pause))
        return self._pause
