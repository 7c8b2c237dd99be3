"""SETTLE: what one leg came to, in one frame that is settlement and row at once. No `await`: nothing interrupts it.

To what the provider reported where it did. A stream that was cut, or whose caller left, to what was observed; what
was sent and never answered, to an estimate of its input: a provider may bill it.
"""

from clavero.domain.calls import BadAnswer
from clavero.domain.errors import Problem, UpstreamError
from clavero.domain.pricing import cost
from clavero.domain.routing import kept_name
from clavero.domain.usage import NO_TOKENS, Attempt, Tokens
from clavero.gateway.headers import headers
from clavero.gateway.leg import Leg
from clavero.gateway.plugs import Plugs
from clavero.gateway.record import last_row, last_words, overhead_us, row
from clavero.gateway.relay import Relay
from clavero.gateway.trail import Trail

ESTIMATED = "estimated"
PARTIAL = "partial"


def settle(  # noqa: PLR0913, PLR0917 - one leg, whole
    trail: Trail, leg: Leg, relay: Relay, problem: Problem | None, began_ns: int, waited: float, plugs: Plugs
) -> Problem | None:
    """Post the leg, and with the last one answer the caller; returns the problem, also one found in the answer."""
    tokens, estimated, problem = _tokens(trail, leg, relay, problem)
    if relay.sent:
        trail.attempts.append(_attempt(trail, relay, problem, began_ns, waited, plugs))
    trail.estimated = estimated
    hold = trail.hold
    if hold is None or not hold.left:
        return problem
    price = leg.wish.price
    charge = cost(price, tokens) if price is not None else 0
    flag = PARTIAL if trail.started and (problem is not None or trail.left) else ESTIMATED if estimated else ""
    if problem is not None and not trail.started and not trail.left:
        ended, trail.problem = trail.problem, problem  # the row of a leg says how the leg ended
        hold.settle(row(trail, plugs, tokens, charge, final=False), flag)
        trail.problem = ended
        return problem
    trail.problem = problem  # None where the answer was whole before somebody ended the exchange
    trail.settled = True
    if relay.scanner is None and problem is None:
        _reply(trail, leg, tokens, charge, plugs)
    else:
        finish = last_words(trail, plugs) if trail.problem or trail.left else trail.client.finish
        hold.settle(last_row(trail, plugs, tokens, charge), flag, finish)
    return problem


def _reply(trail: Trail, leg: Leg, tokens: Tokens, charge: int, plugs: Plugs) -> None:
    """Settle a plain answer; it goes to the caller when its row is on file."""
    hold, client, body = trail.hold, trail.client, trail.reply
    if hold is None:
        return
    if trail.left:
        hold.settle(last_row(trail, plugs, tokens, charge))
        return
    trail.status = 200
    taken = overhead_us(trail, plugs.clock.monotonic_ns())
    known = None if leg.target.price is None else charge
    told = headers(trail, "application/json", taken, known, leg.told_cap(hold.cap))
    hold.settle(
        last_row(trail, plugs, tokens, charge),
        ESTIMATED if trail.estimated else "",
        lambda: client.reply(200, told, body),
    )


def _tokens(trail: Trail, leg: Leg, relay: Relay, problem: Problem | None) -> tuple[Tokens, bool, Problem | None]:
    """The tokens to charge for, whether they are estimated, and the problem, perhaps one that the answer brought."""
    if relay.scanner is not None:
        told = relay.scanner.stream.observed
        if told is not None:
            return told, False, problem
        if relay.scanner.stream.error is not None and not relay.scanner.stream.begun:
            return NO_TOKENS, False, problem  # a refusal, only later
        output = relay.scanner.stream.estimated_output
        return Tokens(input=leg.estimated_input, output=output), True, problem
    if problem is None and relay.head_ is not None and not trail.left:
        return _answered(trail, leg, relay)
    unanswered = relay.sent and (problem is None or problem.facts.get("sent", True) is True)
    return (Tokens(input=leg.estimated_input), True, problem) if unanswered else (NO_TOKENS, False, problem)


def _answered(trail: Trail, leg: Leg, relay: Relay) -> tuple[Tokens, bool, Problem | None]:
    """The same of a plain answer that is whole. What it says was used is owed, whether or not it can be told on."""
    name = leg.target.provider.name
    try:
        answer = relay.answer()
    except BadAnswer as bad:
        return Tokens(input=leg.estimated_input), True, UpstreamError(provider=name, n=1, what=str(bad))
    except Problem as refused:
        return NO_TOKENS, False, refused
    estimate = Tokens(input=leg.estimated_input, output=-(-len(relay.body) // 4))
    tokens, estimated = (answer.tokens, False) if answer.tokens is not None else (estimate, True)
    try:
        trail.reply = relay.told()
    except BadAnswer as bad:
        return tokens, estimated, UpstreamError(provider=name, n=1, what=str(bad))
    return tokens, estimated, None


def _attempt(
    trail: Trail, relay: Relay, problem: Problem | None, began_ns: int, waited: float, plugs: Plugs
) -> Attempt:
    start, target = trail.request.started_ns, trail.target
    head = relay.head_
    return Attempt(
        provider=target.provider.name if target else "",
        model=kept_name(target.served, target) if target else "",
        started_us=(began_ns - start) // 1000,
        ended_us=(plugs.clock.monotonic_ns() - start) // 1000,
        status=head.status if head is not None else 0,
        first_byte_us=max(0, relay.first_byte_ns - start) // 1000,
        code=problem.code if problem else "left" if trail.left else "",
        waited_us=int(waited * 1e6),
    )
