import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.ledger import BootId
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.entrypoints.http.admin.meter import MOST_BOOTS, MOST_MODELS, OTHER, Counts, Meter, Spread, operation
from clavero.testing.clock import StoppedClock
from clavero.wire.journal import Hold, Pulse, Record, Seal, Settle, Unreadable

BOOT = BootId("b1")


def exchange(**known: object) -> Exchange:
    facts = {"endpoint": "chat", "provider": "house", "model_served": "m", "status": 200, **known}
    return Exchange("req_1", 1, **facts)  # type: ignore[arg-type] # facts of a test


def meter(*exchanges: Exchange) -> Meter:
    made = Meter(StoppedClock())
    made.heard(BOOT, [Settle("h", (), "", one) for one in exchanges])
    return made


def test_an_exchange_is_counted_once_and_money_with_every_leg() -> None:
    made = meter(exchange(final=False, cost_n=5), exchange(cost_n=7, tokens=Tokens(1, 2, 3, 4, 5)))
    assert dict(made.exchanges.items()) == {("chat", "m", "200", ""): 1}
    assert dict(made.cost.items()) == {("house", "m"): 12}
    assert {labels[3]: n for labels, n in made.tokens.items()} == {
        "input": 1, "cached": 2, "cache_write": 3, "output": 4, "reasoning": 5,
    }  # fmt: skip


def test_what_no_provider_reported_is_told_apart() -> None:
    made = meter(exchange(cost_n=7, estimated=True), exchange(cost_n=3))
    assert dict(made.estimated.items()) == {("house", "m"): 7}


def test_what_was_billed_above_its_hold_is_an_overrun_and_counted_apart() -> None:
    made = meter(exchange(cost_n=7, held_n=5), exchange(cost_n=5, held_n=5), exchange(cost_n=9))
    assert dict(made.overruns.items()) == {("house", "m"): 1}
    assert dict(made.beyond.items()) == {("house", "m"): 2}


def test_a_refusal_is_counted_and_is_no_call() -> None:
    made = Meter(StoppedClock())
    made.heard(BOOT, [Record(exchange(provider="", model_served="", status=429, code="insufficient_quota"))])
    assert dict(made.exchanges.items()) == {("chat", "", "429", "insufficient_quota"): 1}
    assert list(made.durations.items()) == []


def test_calls_are_measured_as_opentelemetry_has_it() -> None:
    tried = (Attempt("house", "m", 0, 1, 503, 0, "upstream_error"), Attempt("house", "m", 1, 2, 200))
    made = meter(exchange(tokens=Tokens(3, 1, 0, 5, 1), total_us=2_000_000, first_token_us=50_000, attempts=tried))
    sums = {labels[3]: total for labels, _, total in made.token_usage.items()}
    assert sums == {"input": 4.0, "output": 6.0}
    ((labels, _, seconds),) = made.durations.items()
    assert (labels, seconds) == (("chat", "house", "m"), 2.0)
    ((_, _, first),) = made.first_tokens.items()
    assert first == 0.05
    assert dict(made.attempts.items()) == {("house", "upstream_error"): 1, ("house", ""): 1}


def test_names_that_callers_write_make_no_endless_series() -> None:
    made = meter(*[exchange(model_served=f"m{n}") for n in range(MOST_MODELS + 50)])
    names = {labels[1] for labels, _ in made.exchanges.items()}
    assert len(names) == MOST_MODELS + 1
    assert OTHER in names


@pytest.mark.parametrize("name", ["sk-ant-" + "k" * 40, "a\nb", "a\x00"])
def test_no_key_and_no_control_character_becomes_a_label(name: str) -> None:
    ((labels, _),) = meter(exchange(model_served=name)).exchanges.items()
    assert labels[1] == OTHER


def test_who_called_is_no_label() -> None:
    made = meter(exchange(key_id="kid", owner="asha", service="mail", client_request_id="c", peer="10.0.0.1", cost_n=1))
    told = str([*made.exchanges.items(), *made.cost.items(), *made.durations.items()])
    assert not any(word in told for word in ("kid", "asha", "10.0.0.1"))


def test_a_pulse_is_kept_until_the_next_and_tells_the_lag() -> None:
    clock = StoppedClock()
    made = Meter(clock)
    assert [made.lag_ms] == [None]
    made.heard(BOOT, [Pulse(clock.wall_ns(), 1, 1, 0, 0, 0)])
    clock.advance(0.25)
    made.heard(BOOT, [Pulse(clock.wall_ns() - 40_000_000, 2, 3, 0, 0, 0)])
    pulse = made.pulse(BOOT)
    assert pulse is not None
    assert (pulse.applied_seq, made.lag_ms) == (2, 40)
    assert made.pulse("other") is None


def test_boots_that_are_gone_are_forgotten() -> None:
    made = Meter(StoppedClock())
    for n in range(MOST_BOOTS + 1):
        made.heard(BootId(str(n)), [Pulse(1, 1, 1, 0, 0, 0)])
    assert made.pulse("0") is None
    assert made.pulse("1") is not None


def test_frames_that_say_nothing_of_an_exchange_are_passed_over() -> None:
    made = Meter(StoppedClock())
    made.heard(BOOT, [Hold("h", 1, ()), Seal(1), Unreadable(b"x", "odd")])
    assert list(made.exchanges.items()) == []
    assert dict(made.rejected.items()) == {(): 1}


def test_a_counter_never_falls() -> None:
    counts = Counts()
    counts.add(("a",), 5)
    counts.add(("a",), -9)
    assert dict(counts.items()) == {("a",): 5}


@given(st.lists(st.floats(0, 1e9)))
def test_buckets_rise_to_the_number_of_figures(figures: list[float]) -> None:
    spread = Spread((0.5, 1.0, 10.0))
    for figure in figures:
        spread.add(("x",), figure)
    for _, buckets, total in spread.items():
        counts = [count for _, count in buckets]
        assert counts == sorted(counts)
        assert buckets[-1] == ("+Inf", float(len(figures)))
        assert counts[1] == sum(figure <= 1.0 for figure in figures)
        assert math.isclose(total, sum(figures))
    spread.add(("x",), -1.0)
    assert sum(buckets[-1][1] for _, buckets, _ in spread.items()) == len(figures)


def test_what_an_endpoint_does_has_opentelemetrys_name() -> None:
    assert [operation(one) for one in ("chat", "responses", "messages", "embeddings")] == ["chat"] * 3 + ["embeddings"]
