from typing import Any

import pytest
from tests.unit.gateway.world import CLOCK, PRICES, SIM, Client, new_key, trail_of

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidApiKey, KeyRevoked, Problem, StreamInterrupted, UpstreamError
from clavero.domain.routing import Target
from clavero.domain.usage import Attempt, Tokens
from clavero.gateway.record import last_words, outcome, overhead_us, record, row
from clavero.gateway.tally import Tally
from clavero.gateway.view import Grant
from clavero.wire.ask import Ask
from clavero.wire.journal import Record

ONE = Attempt("sim", "gpt-4o-mini", 100, 900, 200, waited_us=50)


class Plugs:
    """What recording touches: time, a journal, words and a tally."""

    def __init__(self) -> None:
        self.clock = CLOCK
        self.journal = self
        self.tally = Tally(lambda _code, _address: None)
        self.frames: list[Any] = []
        self.told: list[Any] = []
        self.access = self.told.append

    def append(self, frame: Any, then: Any) -> None:
        self.frames.append(frame)
        self.then = then

    def words(self, problem: Problem, _trail: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        return 418, [], problem.code.encode()

    def aside(self, problem: Problem, _trail: Any) -> bytes:
        return problem.code.encode()


def known(**more: Any) -> Any:
    key, _ = new_key()
    ask = Ask(Endpoint.CHAT, "house", {}, stream=True)
    target = Target(SIM, "gpt-4o-mini", PRICES[0])
    return trail_of(grant=Grant(key, "apps", "copilot", ()), version=key.versions[0], ask=ask, target=target, **more)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "ok"),
        ({"left": True, "problem": KeyRevoked()}, "left"),
        ({"problem": KeyRevoked()}, "refused"),
        ({"problem": UpstreamError(), "attempts": [ONE]}, "failed"),
        ({"problem": StreamInterrupted(), "attempts": [ONE], "started": True}, "partial"),
    ],
)
def test_an_end_has_one_word(facts: dict[str, Any], word: str) -> None:
    assert outcome(trail_of(**facts)) == word


def test_a_row_says_who_asked_what_of_whom_and_what_it_came_to() -> None:
    plugs: Any = Plugs()
    trail = known(attempts=[ONE], status=200, feature="reply")
    trail.request.headers["x-client-request-id"] = "c" * 200
    CLOCK.advance(0.002)
    made = row(trail, plugs, Tokens(input=10, output=2), 2_700)
    key = trail.grant.key
    assert (made.request_id, made.key_id, made.key_version, made.owner) == ("req_1", key.id, 1, "asha")
    assert (made.service, made.team, made.project, made.environment) == ("app", "apps", "copilot", "prod")
    assert (made.endpoint, made.model_asked, made.model_served, made.provider) == (
        "chat",
        "house",
        "gpt-4o-mini",
        "sim",
    )
    assert (made.tokens, made.cost_n, made.price_version) == (Tokens(input=10, output=2), 2_700, "v1")
    assert (made.attempts, made.outcome, made.status, made.final, made.streamed) == ((ONE,), "ok", 200, True, True)
    assert made.client_request_id == "c" * 128
    assert made.total_us == 2000
    assert made.overhead_us == 2000 - 800 - 50


def test_a_key_in_the_caller_s_own_id_is_not_kept() -> None:
    plugs: Any = Plugs()
    _, secret = new_key()
    trail = known()
    trail.request.headers["x-client-request-id"] = secret
    assert secret[24:] not in row(trail, plugs).client_request_id


def test_a_key_in_place_of_a_model_is_not_kept() -> None:
    plugs: Any = Plugs()
    _, secret = new_key()
    trail = known()
    trail.ask = Ask(Endpoint.CHAT, f"sim/{secret}", {})
    for target in (None, Target(SIM, secret, None)):
        trail.target = target
        made = row(trail, plugs)
        assert secret[24:] not in made.model_asked + made.model_served
        assert made.model_asked.startswith("sim/clvk_prod_")


def test_overhead_is_never_below_nothing() -> None:
    assert overhead_us(trail_of(attempts=[Attempt("a", "b", 0, 10**9, 200)]), CLOCK.monotonic_ns()) == 0


def test_a_stranger_is_counted_and_answered_at_once_and_never_journalled() -> None:
    plugs: Any = Plugs()
    trail = trail_of(problem=InvalidApiKey(kid="x"))
    record(trail, plugs)
    assert plugs.frames == []
    assert plugs.tally.refused == {"invalid_api_key": 1}
    assert isinstance(trail.client, Client)
    assert trail.client.heard == [(418, {}, b"invalid_api_key")]


@pytest.mark.requirement(1)
def test_a_refusal_is_answered_when_its_row_is_on_file_and_recorded_once() -> None:
    plugs: Any = Plugs()
    trail = known(problem=KeyRevoked())
    record(trail, plugs)
    record(trail, plugs)
    (frame,) = plugs.frames
    assert isinstance(frame, Record)
    assert (frame.exchange.code, frame.exchange.status, frame.exchange.outcome) == ("key_revoked", 418, "refused")
    assert plugs.told == [frame.exchange]
    assert trail.client.heard == []
    plugs.then()
    assert trail.client.heard == [(418, {}, b"key_revoked")]


def test_what_legs_were_estimated_at_stays_theirs() -> None:
    plugs: Any = Plugs()
    record(known(problem=UpstreamError(), attempts=[ONE], estimated=True), plugs)
    assert not plugs.frames[0].exchange.estimated


def test_a_caller_who_left_hears_nothing() -> None:
    plugs: Any = Plugs()
    trail = known(left=True)
    last_words(trail, plugs)()
    assert trail.client.heard == []


def test_a_stream_that_has_begun_ends_with_the_reason_inside() -> None:
    plugs: Any = Plugs()
    trail = known(problem=StreamInterrupted(), started=True)
    last_words(trail, plugs)()
    assert trail.client.heard == [b"stream_interrupted", "finish"]


def test_an_answer_of_our_own_says_that_it_cost_nothing() -> None:
    plugs: Any = Plugs()
    trail = known(reply=b"{}")
    last_words(trail, plugs)()
    status, headers, body = trail.client.heard[0]
    assert (status, body, headers["x-clavero-cost"]) == (200, b"{}", "0.000000")
