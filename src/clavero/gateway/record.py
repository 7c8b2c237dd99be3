"""RECORD: what became of it, once. From authentication on, every end writes exactly one row, whoever left first.

It settles before it counts, holds no `await`, and what the caller still has to get (the whole answer of a refusal, the
last bytes of a stream) goes out only when the row is on file: what a caller has seen is never lost.
"""

from collections.abc import Callable

from msgspec.structs import replace

from clavero.domain.errors import Problem
from clavero.domain.routing import kept_name
from clavero.domain.secret import mask
from clavero.domain.usage import NO_TOKENS, Exchange, Tokens
from clavero.gateway.headers import headers
from clavero.gateway.plugs import Plugs
from clavero.gateway.trail import Trail
from clavero.wire.journal import Record

_LONGEST_ID = 128  # characters of an id that is the caller's own


def record(trail: Trail, plugs: Plugs) -> None:
    """Close an exchange whose last row is not queued yet: answer it, and keep a row where its key is known."""
    if trail.settled:
        return
    trail.settled = True
    trail.hold = None
    trail.estimated = False  # what was estimated stands in the rows of its legs
    finish = last_words(trail, plugs)
    if trail.grant is None:
        code = trail.problem.code if trail.problem else "left"
        plugs.tally.stranger(code, trail.request.peer, plugs.clock.monotonic_ns() // 1_000_000_000)
        finish()
        return
    plugs.journal.append(Record(last_row(trail, plugs)), finish)


def last_row(trail: Trail, plugs: Plugs, tokens: Tokens = NO_TOKENS, cost_n: int = 0) -> Exchange:
    """The closing row of an exchange, told to the access log as well."""
    closing = row(trail, plugs, tokens, cost_n)
    if plugs.access is not None:
        plugs.access(closing)
    return closing


def row(trail: Trail, plugs: Plugs, tokens: Tokens = NO_TOKENS, cost_n: int = 0, *, final: bool = True) -> Exchange:
    """The row for what is known of an exchange now; `final` is False for a leg that another one follows."""
    now, hold = plugs.clock.monotonic_ns(), trail.hold
    began = trail.request.started_ns
    known = hold.exchange if hold is not None else None
    return replace(
        known or _known(trail),
        tokens=tokens,
        cost_n=cost_n,
        attempts=tuple(trail.attempts),
        first_token_us=max(0, trail.first_token_ns - began) // 1000,
        total_us=(now - began) // 1000,
        overhead_us=overhead_us(trail, now),
        status=trail.status,
        code=trail.problem.code if trail.problem else "",
        outcome=outcome(trail),
        estimated=trail.estimated,
        final=final,
        output_cap=hold.cap if hold else 0,
        held_n=hold.amount if hold else 0,
    )


def _known(trail: Trail) -> Exchange:
    """What no longer changes once a call leaves; the hold keeps it, so that it is worked out once."""
    request, grant, ask, target = trail.request, trail.grant, trail.ask, trail.target
    key = grant.key if grant else None
    theirs = request.headers.get("x-client-request-id")
    return Exchange(  # the first by their place: each name costs as much as its value
        request.id,
        request.at_ns,
        str(key.id) if key else "",
        trail.version.number if trail.version else 0,
        key.owner if key else "",
        key.service if key else "",
        grant.team if grant else "",
        grant.project if grant else "",
        key.environment if key else "",
        trail.feature,
        trail.endpoint.value,
        model_asked=kept_name(ask.model, target) if ask else "",
        model_served=kept_name(target.served, target) if target else "",
        provider=target.provider.name if target else "",
        price_version=target.price.version if target and target.price else "",
        streamed=bool(ask and ask.stream),
        client_request_id=mask(theirs[:_LONGEST_ID]) if theirs else "",
        peer=request.peer,
    )


def outcome(trail: Trail) -> str:
    """How it ended, in one word."""
    if trail.left:
        return "left"
    if trail.problem is None:
        return "ok"
    if trail.started:
        return "partial"
    return "failed" if trail.attempts else "refused"


def overhead_us(trail: Trail, now: int) -> int:
    """What the gateway itself took: everything but waiting for providers and between attempts. Microseconds."""
    elsewhere = 0
    for attempt in trail.attempts:
        elsewhere += attempt.ended_us - attempt.started_us + attempt.waited_us
    return max(0, (now - trail.request.started_ns) // 1000 - elsewhere)


def last_words(trail: Trail, plugs: Plugs) -> Callable[[], None]:
    """What the caller still has to hear of a problem, to be run when the row is on file."""
    problem, client = trail.problem, trail.client
    if trail.left:
        return _nothing
    if problem is None:
        trail.status = 200
        told = headers(trail, "application/json", overhead_us(trail, plugs.clock.monotonic_ns()), 0, 0)
        return lambda: client.reply(200, told, trail.reply)
    if trail.started:
        return lambda: _interrupt(trail, plugs, problem)
    status, worded, body = plugs.words(problem, trail)
    trail.status = status
    return lambda: client.reply(status, worded, body)


def _interrupt(trail: Trail, plugs: Plugs, problem: Problem) -> None:
    """Say inside a stream that it is incomplete, in the caller's dialect; never a clean end."""
    trail.client.write(plugs.aside(problem, trail))
    trail.client.finish()


def _nothing() -> None:
    return
