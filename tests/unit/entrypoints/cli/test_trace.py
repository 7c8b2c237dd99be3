from typing import Any

import pytest

from clavero.entrypoints.cli.trace import steps

FIRST = {
    "provider": "openai",
    "model": "gpt-x",
    "started_us": 300,
    "ended_us": 4_000,
    "status": 429,
    "first_byte_us": 0,
    "code": "upstream_rate_limited",
    "waited_us": 0,
}
SECOND = {
    **FIRST,
    "started_us": 2_004_900,
    "ended_us": 2_600_000,
    "status": 200,
    "first_byte_us": 2_314_900,
    "code": "",
    "waited_us": 2_000_000,
}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def request(*legs: dict[str, Any]) -> dict[str, Any]:
    return {"total_us": 2_644_000, "legs": list(legs)}


def leg(**changed: Any) -> dict[str, Any]:
    return {
        "held_nano_usd": 1_240_000,
        "cost_nano_usd": 118_000,
        "estimated": False,
        "final": True,
        "attempts": [FIRST, SECOND],
        **changed,
    }


def test_holds_calls_and_the_settlement_stand_in_their_order() -> None:
    assert steps(request(leg())) == [
        (300, "reserve", "$0.001240"),
        (300, "call 1", "openai gpt-x: 429 upstream_rate_limited"),
        (2_004_900, "call 2", "after 2,000 ms, openai gpt-x: 200, first byte 310 ms"),
        (2_644_000, "settle", "$0.000118; $0.001122 returned"),
    ]


def test_a_call_without_an_answer_says_why() -> None:
    told = steps(request(leg(attempts=[{**FIRST, "status": 0, "code": "upstream_timeout"}])))
    assert told[1][2] == "openai gpt-x: upstream_timeout"
    assert steps(request(leg(attempts=[{**FIRST, "status": 0, "code": ""}])))[1][2] == "openai gpt-x: no answer"


def test_a_refusal_before_any_hold_settles_nothing() -> None:
    assert steps(request(leg(held_nano_usd=0, cost_nano_usd=0, attempts=[]))) == [(2_644_000, "settle", "$0.000000")]


def test_each_leg_has_its_own_hold_and_calls_are_counted_on() -> None:
    told = steps(request(leg(final=False, attempts=[FIRST]), leg(attempts=[SECOND], estimated=True)))
    assert [what for _, what, _ in told] == ["reserve", "call 1", "settle", "reserve", "call 2", "settle"]
    assert told[2][0] is None
    assert "(estimated)" in told[-1][2]
