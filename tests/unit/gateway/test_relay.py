"""What is passed on, what is kept back, and what an end means: pushed by hand, no socket."""

import asyncio
import json
from typing import Any

import pytest
from tests.unit.gateway.test_settle import EVENTS, JSON, USAGE, Played, delta, events

from clavero.domain.calls import BadAnswer, ConnectionLost
from clavero.domain.errors import KeyRevoked, NoCredential, Problem, StreamInterrupted, UpstreamError
from clavero.ports.upstreams import Head

ROLE = {"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
LAST = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = b"data: [DONE]\n\n"


def begun() -> Played:
    leg = Played(stream=True)
    leg.relay.head(Head(200, EVENTS))
    return leg


def written(leg: Played) -> bytes:
    return b"".join(one for one in leg.heard if isinstance(one, bytes))


async def test_preliminaries_are_kept_back_until_something_is_said() -> None:
    leg = begun()
    leg.relay.data(b": comment\n\n")
    leg.relay.data(events(ROLE))
    assert leg.heard == []
    assert [leg.trail.started] == [False]
    leg.relay.data(events(delta("Hi")))
    assert [leg.trail.started] == [True]
    assert leg.heard[0][0] == 200
    assert written(leg) == b": comment\n\n" + events(ROLE, delta("Hi"))
    leg.relay.leave()


async def test_once_begun_each_read_is_one_write() -> None:
    leg = begun()
    leg.relay.data(events(ROLE, delta("a")))
    leg.relay.data(events(delta("b"), delta("c")))
    assert leg.heard[1:] == [events(ROLE, delta("a")), events(delta("b"), delta("c"))]
    leg.relay.leave()


async def test_an_answer_that_says_nothing_is_passed_on_once_it_is_whole() -> None:
    leg = begun()
    leg.relay.data(events(ROLE, LAST, USAGE) + DONE)
    leg.relay.ended()
    await leg.relay.whole
    leg.relay.check_stream()
    assert written(leg) == events(ROLE, LAST) + DONE  # the usage that nobody asked for is withheld
    leg.relay.leave()


@pytest.mark.parametrize("said", [b"", events(ROLE)])
async def test_a_stream_that_ends_before_it_said_anything_may_be_tried_again(said: bytes) -> None:
    leg = begun()
    if said:
        leg.relay.data(said)
    leg.relay.ended()
    with pytest.raises(UpstreamError):
        leg.relay.check_stream()
    assert leg.heard == []
    leg.relay.leave()


async def test_a_stream_that_ends_in_the_midst_is_interrupted() -> None:
    leg = begun()
    leg.relay.data(events(delta("Hi")))
    leg.relay.ended()
    with pytest.raises(StreamInterrupted):
        leg.relay.check_stream()
    leg.relay.leave()


async def test_what_breaks_behind_the_end_takes_nothing_away() -> None:
    leg = begun()
    leg.relay.data(events(delta("Hi"), LAST, USAGE) + DONE)
    leg.relay.failed(ConnectionLost())
    await leg.relay.whole
    leg.relay.check_stream()
    leg.relay.leave()


async def test_an_error_within_ends_it_at_once_and_nothing_more_goes_on() -> None:
    leg = begun()
    leg.relay.data(events(delta("Hi")))
    leg.relay.data(events({"error": {"message": "sorry", "type": "server_error"}}))
    leg.relay.data(events(delta("more")))
    await leg.relay.whole
    with pytest.raises(UpstreamError):
        leg.relay.check_stream()
    assert b"more" not in written(leg)
    assert b"sorry" not in written(leg)
    leg.relay.leave()


@pytest.mark.parametrize("message", ["your key is upstream-key!", ["upstream-key"], None])
async def test_a_refusal_never_repeats_the_key_that_was_sent(message: Any) -> None:
    leg = Played()
    leg.relay.head(Head(400, JSON))
    leg.relay.data(json.dumps({"error": {"message": message}}).encode())
    leg.relay.ended()
    with pytest.raises(Problem) as caught:
        leg.relay.answer()
    assert "upstream-key" not in str(caught.value.facts)


async def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clavero.gateway.relay._MOST_BYTES", 10)
    leg = Played()
    leg.relay.head(Head(200, JSON))
    leg.relay.data(b"x" * 11)
    with pytest.raises(BadAnswer):
        await leg.relay.whole


async def test_a_plain_answer_to_a_streamed_question_is_kept_whole() -> None:
    leg = Played(stream=True)
    leg.relay.head(Head(200, JSON))
    leg.relay.data(b'{"choices"')
    leg.relay.data(b":[]}")
    leg.relay.ended()
    await leg.relay.whole
    leg.relay.check_stream()
    assert leg.relay.body == b'{"choices":[]}'
    assert leg.heard == []


async def test_a_credential_that_went_meanwhile_lets_no_call_leave() -> None:
    leg = Played()
    leg.relay.sent = False
    leg.plugs.secret = lambda _provider: None
    leg.relay.send()
    with pytest.raises(NoCredential):
        await leg.relay.whole
    assert not leg.relay.sent


async def test_what_was_stopped_while_its_hold_was_written_does_not_leave() -> None:
    leg = Played()
    leg.relay.sent = False
    leg.relay.interrupt(KeyRevoked())
    leg.relay.send()
    assert not leg.relay.sent
    with pytest.raises(KeyRevoked):
        await leg.relay.whole


async def test_the_first_end_is_the_end() -> None:
    leg = Played()
    leg.relay.failed(ConnectionLost())
    leg.relay.interrupt(KeyRevoked())
    leg.relay.ended()
    with pytest.raises(ConnectionLost):
        await leg.relay.whole
    await asyncio.sleep(0)
