"""What one leg came to: to what was told, else to what was seen, else to an estimate of what was sent."""

import asyncio
import json
from typing import Any

import pytest
from tests.unit.gateway.world import CLOCK, PRICES, SIM, new_key, trail_of

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import KeyRevoked, Problem, StreamInterrupted, UpstreamError, UpstreamTimeout
from clavero.domain.routing import Target
from clavero.domain.secret import Secret
from clavero.gateway.leg import Leg
from clavero.gateway.relay import Relay
from clavero.gateway.settle import settle
from clavero.gateway.view import Grant
from clavero.ports.upstreams import Head
from clavero.wire.ask import read_chat

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}


class Hold:
    """A hold that writes down how it was settled."""

    def __init__(self) -> None:
        self.cap, self.amount, self.left, self.exchange = 100, 10**9, True, None
        self.rows: list[Any] = []

    def settle(self, exchange: Any, flag: str = "", then: Any = None) -> None:
        self.rows.append((exchange, flag))
        if then is not None:
            then()


class Plugs:
    """What settling touches."""

    clock = CLOCK
    access = None
    view: Any = None
    deadlines: Any = None
    version = "1"

    def __init__(self) -> None:
        self.upstreams = self.view = self

    def secret(self, _provider: str) -> Secret:
        return Secret("upstream-key")

    def send(self, *_: Any) -> "Plugs":
        return self

    def abort(self) -> None:
        """There is nothing to end."""

    pause = resume = abort

    def words(self, problem: Problem, _trail: Any) -> Any:
        return 502, [], problem.code.encode()

    def aside(self, problem: Problem, _trail: Any) -> bytes:
        return b"data: " + problem.code.encode() + b"\n\n"


def stand_in(thing: object) -> Any:
    """For something of the gateway's own."""
    return thing


class Played:
    """One leg that is played by hand."""

    def __init__(self, *, stream: bool = False) -> None:
        key, _ = new_key()
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 400}], "stream": stream}
        self.plugs = stand_in(Plugs())
        self.hold = stand_in(Hold())
        grant = Grant(key, "", "", ())
        target = Target(SIM, "gpt-4o-mini", PRICES[0])
        self.trail = trail_of(ask=read_chat(body), grant=grant, version=key.versions[0], target=target, hold=self.hold)
        assert self.trail.ask is not None
        self.leg = Leg(self.trail.ask, target, grant)
        self.relay = Relay(self.trail, self.leg, self.hold, self.plugs)
        self.relay.send()

    def settle(self, problem: Problem | None = None) -> Problem | None:
        self.relay.leave()
        return settle(self.trail, self.leg, self.relay, problem, CLOCK.monotonic_ns(), 0.0, self.plugs)

    @property
    def row(self) -> Any:
        return self.hold.rows[0][0]

    @property
    def flag(self) -> str:
        return str(self.hold.rows[0][1])

    @property
    def heard(self) -> list[Any]:
        client: Any = self.trail.client
        return list(client.heard)


def events(*trees: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(tree).encode() for tree in trees)


def delta(text: str) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {"content": text}}]}


USAGE = {"id": "c", "choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}}


async def test_a_plain_answer_costs_what_it_tells_and_goes_out_behind_its_row() -> None:
    leg = Played()
    body = json.dumps({"model": "x", "choices": [], "usage": USAGE["usage"]}).encode()
    leg.relay.head(Head(200, JSON))
    leg.relay.data(body)
    leg.relay.ended()
    assert leg.settle() is None
    assert leg.row.cost_n == 100 * 150 + 20 * 600
    assert (leg.row.outcome, leg.row.final, leg.row.estimated, leg.flag) == ("ok", True, False, "")
    status, headers, told = leg.heard[0]
    assert (status, told, headers["x-clavero-cost"]) == (200, body, "0.000027")
    assert leg.trail.settled


@pytest.mark.requirement(29)
async def test_a_cut_stream_costs_what_was_seen() -> None:
    leg = Played(stream=True)
    leg.relay.head(Head(200, EVENTS))
    for _ in range(7):
        leg.relay.data(events(delta("word ")))
    leg.settle(StreamInterrupted(provider="sim"))
    assert (leg.row.tokens.input, leg.row.tokens.output) == (leg.leg.estimated_input, 9)  # 35 bytes, or 7 pieces
    assert (leg.row.outcome, leg.row.estimated, leg.row.final, leg.flag) == ("partial", True, True, "partial")
    assert leg.heard[-2:] == [b"data: stream_interrupted\n\n", "finish"]


async def test_a_cut_stream_that_has_told_its_usage_costs_that() -> None:
    leg = Played(stream=True)
    leg.relay.head(Head(200, EVENTS))
    leg.relay.data(events(delta("word"), USAGE))
    leg.settle(StreamInterrupted(provider="sim"))
    assert (leg.row.tokens.input, leg.row.tokens.output, leg.row.estimated) == (100, 20, False)


async def test_what_was_sent_and_never_answered_may_be_billed() -> None:
    leg = Played()
    leg.settle(UpstreamTimeout(provider="sim", seconds=30))
    assert leg.row.tokens.input == leg.leg.estimated_input > 100
    assert (leg.row.final, leg.row.estimated, leg.row.code, leg.flag) == (False, True, "upstream_timeout", "estimated")
    assert leg.heard == []
    assert not leg.trail.settled


async def test_what_never_reached_the_provider_costs_nothing() -> None:
    leg = Played()
    leg.settle(UpstreamError(provider="sim", n=1, sent=False))
    assert (leg.row.tokens.input, leg.row.cost_n, leg.row.estimated) == (0, 0, False)


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_a_refusal_costs_nothing_and_is_the_leg_s_problem(status: int) -> None:
    leg = Played()
    leg.relay.head(Head(status, JSON | {"retry-after": "7"}))
    leg.relay.data(b'{"error":{"message":"no"}}')
    leg.relay.ended()
    problem = leg.settle()
    assert problem is not None
    assert problem.facts["retry_after"] == 7.0
    assert (leg.row.cost_n, leg.row.final, leg.row.code) == (0, False, problem.code)
    assert leg.trail.attempts[0].status == status


async def test_a_stream_that_opens_with_an_error_is_a_refusal_too() -> None:
    leg = Played(stream=True)
    leg.relay.head(Head(200, EVENTS))
    leg.relay.data(events({"error": {"message": "overloaded", "type": "server_error"}}))
    with pytest.raises(UpstreamError) as caught:
        leg.relay.check_stream()
    leg.settle(caught.value)
    assert (leg.row.cost_n, leg.row.final, leg.heard) == (0, False, [])


async def test_an_answer_that_is_no_json_is_estimated_and_may_be_tried_again() -> None:
    leg = Played()
    leg.relay.head(Head(200, JSON))
    leg.relay.data(b"<html>")
    leg.relay.ended()
    problem = leg.settle()
    assert isinstance(problem, UpstreamError)
    assert (leg.row.final, leg.row.estimated) == (False, True)


async def test_a_caller_who_left_is_charged_and_hears_nothing() -> None:
    leg = Played(stream=True)
    leg.relay.head(Head(200, EVENTS))
    leg.relay.data(events(delta("word")))
    leg.trail.left = True
    before = leg.heard
    leg.settle()
    assert (leg.row.outcome, leg.row.final, leg.flag) == ("left", True, "partial")
    assert leg.row.cost_n > 0
    assert leg.heard == before


async def test_an_answer_that_was_whole_before_the_key_ended_is_given() -> None:
    leg = Played()
    leg.relay.head(Head(200, JSON))
    leg.relay.data(json.dumps({"choices": [], "usage": USAGE["usage"]}).encode())
    leg.relay.ended()
    leg.trail.interrupt = leg.relay.interrupt
    leg.trail.stop(KeyRevoked())
    assert leg.settle() is None
    assert (leg.row.code, leg.row.outcome) == ("", "ok")
    assert leg.heard[0][0] == 200


async def test_a_call_that_never_left_is_no_attempt() -> None:
    leg = Played()
    leg.relay.sent = False
    leg.relay.not_written()
    with pytest.raises(Problem) as caught:
        await leg.relay.whole
    leg.settle(caught.value)
    assert (leg.trail.attempts, leg.row.cost_n, leg.row.code) == ([], 0, "storage_full")
    assert leg.row.endpoint == Endpoint.CHAT


async def test_nothing_is_settled_where_no_hold_was_queued() -> None:
    leg = Played()
    leg.hold.left = False
    problem = UpstreamError(provider="sim", n=1)
    assert leg.settle(problem) is problem
    assert leg.hold.rows == []
    await asyncio.sleep(0)
