"""CALL: ask a provider, again or elsewhere where that helps, and settle what each leg came to.

One leg is one call under one hold. A leg that failed is settled with what it may have cost before the next one takes
its own hold, so that retries and fallbacks never spend what nobody set aside.
"""

import asyncio
from contextlib import suppress

from clavero.domain.attempts import Attempts, Call, Ending, RetryBudget, Stop, Wait
from clavero.domain.calls import CallFailed, ProxyFailed, Silent
from clavero.domain.errors import (
    ContentFilter,
    ContextLengthExceeded,
    InvalidParameter,
    NoCredential,
    Problem,
    StreamInterrupted,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamProxyFailed,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
)
from clavero.domain.routing import Target
from clavero.gateway.leg import Leg
from clavero.gateway.plugs import Plugs
from clavero.gateway.record import row
from clavero.gateway.relay import Relay
from clavero.gateway.reserve import reserve
from clavero.gateway.settle import settle
from clavero.gateway.trail import Trail
from clavero.wire.ask import Ask, check_cap

# How a provider's failure counts for the next step; what is not named here is the request's own fault.
_ENDINGS: dict[type[Problem], Ending] = {
    UpstreamRateLimited: Ending.OVERLOADED,
    UpstreamError: Ending.BROKEN,
    UpstreamProxyFailed: Ending.BROKEN,
    UpstreamTimeout: Ending.SILENT,
    UpstreamAuthFailed: Ending.UNAUTHORISED,
    NoCredential: Ending.UNAUTHORISED,
    ContextLengthExceeded: Ending.TOO_LONG,
    ContentFilter: Ending.CONTENT,
}
_CONFLICT = 409  # two calls met at the provider: the same one again may pass


async def call(trail: Trail, ask: Ask, plugs: Plugs) -> None:
    """Have the exchange answered and settled; raises the last failure where nobody could."""
    attempts = Attempts([_retry_budget(target, plugs) for target in trail.targets], plugs.rules, plugs.dice.uniform)
    step: Call | Wait = Call(0)
    failed: Problem | None = None
    calls = 0
    while True:
        waited = step.seconds if isinstance(step, Wait) else 0.0
        if waited:
            await _wait(trail, waited)
        if (stop := _stopped(trail)) is not None:
            raise stop
        calls += 1
        target = trail.target = trail.targets[step.target]
        try:
            problem = await _leg(trail, ask, calls, waited, plugs)
        except InvalidParameter:  # said of this target alone; what the caller asked was right for the one before
            if failed is None:
                raise
            raise failed from None
        if problem is None:
            attempts.answered()
            return
        if trail.started or _stopped(trail):
            raise problem
        failed = _last(problem, target, calls)
        following = attempts.ended(_ending(problem), _remaining(trail, plugs), _retry_after(problem))
        if isinstance(following, Stop):
            raise failed
        step = following


async def _leg(trail: Trail, ask: Ask, number: int, waited: float, plugs: Plugs) -> Problem | None:
    """One call under one hold; returns how it failed, None where the exchange is answered and settled."""
    target, grant = trail.target, trail.grant
    assert target is not None and grant is not None  # noqa: S101, PT018 - `route` and `authenticate` saw to it
    leg = Leg(ask, target, grant)
    problem: Problem | None = None
    with await reserve(f"{trail.request.id}.{number}", leg.wish, plugs.bank, plugs.journal) as hold:
        if (stop := _stopped(trail)) is not None:  # while money was waited for
            raise stop
        if hold.cap:
            check_cap(ask, hold.cap)
        trail.hold = hold
        relay = Relay(trail, leg, hold, plugs)
        began = plugs.clock.monotonic_ns()
        trail.interrupt = relay.interrupt
        hold.when_written(relay.send, relay.not_written, row(trail, plugs))
        try:
            await relay.whole
            relay.check_stream()
        except CallFailed as failure:
            problem = _failure(failure, target, trail, plugs)
        except Problem as ended:
            problem = ended
        except asyncio.CancelledError:
            trail.left = True
            raise
        finally:
            trail.interrupt = None
            relay.leave()
            problem = settle(trail, leg, relay, problem, began, waited, plugs)
    return problem


async def _wait(trail: Trail, seconds: float) -> None:
    """Wait before the next attempt; whoever ends the exchange from outside ends the waiting too."""
    stopped = asyncio.Event()
    trail.interrupt = lambda _problem: stopped.set()
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)
    trail.interrupt = None


def _stopped(trail: Trail) -> Problem | None:
    """What somebody outside ended the exchange with."""
    return trail.problem


def _failure(failure: CallFailed, target: Target, trail: Trail, plugs: Plugs) -> Problem:
    """What a call that broke means for the caller."""
    if isinstance(failure, Silent):
        seconds = plugs.deadlines.idle if trail.started else plugs.deadlines.first_byte
        return UpstreamTimeout(provider=target.provider.name, seconds=f"{seconds:g}")
    if isinstance(failure, ProxyFailed):
        return UpstreamProxyFailed(provider=target.provider.name, what=failure.detail, sent=failure.sent)
    if trail.started:
        return StreamInterrupted(provider=target.provider.name, what=failure.detail)
    return UpstreamError(provider=target.provider.name, n=1, what=failure.detail, sent=failure.sent)


def _last(problem: Problem, target: Target, calls: int) -> Problem:
    """The last failure as the caller hears it: how often it was tried, not only that it failed."""
    if isinstance(problem, UpstreamError):
        return UpstreamError(**{**problem.facts, "provider": target.provider.name, "n": calls})
    return problem


def _ending(problem: Problem) -> Ending:
    if isinstance(problem, UpstreamRefused) and problem.facts.get("status") == _CONFLICT:
        return Ending.BROKEN
    return _ENDINGS.get(type(problem), Ending.REFUSED)


def _retry_after(problem: Problem) -> float | None:
    told = problem.facts.get("retry_after")
    return float(told) if isinstance(told, int | float) else None


def _remaining(trail: Trail, plugs: Plugs) -> float:
    return plugs.deadlines.total - (plugs.clock.monotonic_ns() - trail.request.started_ns) / 1e9


def _retry_budget(target: Target, plugs: Plugs) -> RetryBudget:
    name = target.provider.name
    return plugs.retry_budgets.get(name) or plugs.retry_budgets.setdefault(name, RetryBudget())
