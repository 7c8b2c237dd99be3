import random  # noqa: TID251 - a seeded source for the distribution test

import pytest

from clavero.domain.attempts import TABLE, Attempts, Call, Ending, RetryBudget, Rules, Step, Stop, Then, Wait


def machine(targets: int = 2, **rules: float) -> Attempts:
    return Attempts([RetryBudget() for _ in range(targets)], Rules(**rules), lambda low, high: (low + high) / 2)  # type: ignore[arg-type] # one int field


def test_every_ending_leads_somewhere() -> None:
    assert set(TABLE) == set(Ending)


def test_the_providers_retry_after_is_the_wait() -> None:
    assert machine().ended(Ending.OVERLOADED, 60, retry_after=2.0) == Wait(2.0, 0)


def test_a_broken_target_is_called_three_times_then_the_next() -> None:
    attempts = machine()
    steps = [attempts.ended(Ending.BROKEN, 60) for _ in range(3)]
    assert isinstance(steps[0], Wait)
    assert isinstance(steps[1], Wait)
    assert steps[2] == Call(1)


def test_a_silent_target_is_left_for_the_next() -> None:
    assert machine().ended(Ending.SILENT, 60) == Call(1)


def test_without_another_target_silence_ends_it() -> None:
    assert machine(targets=1).ended(Ending.SILENT, 60) == Stop()


@pytest.mark.parametrize("ending", [Ending.CONTENT, Ending.REFUSED])
def test_what_the_provider_refuses_is_not_routed_around(ending: Ending) -> None:
    assert machine().ended(ending, 60) == Stop()


def test_a_context_that_does_not_fit_is_never_sent_again_to_the_same_model() -> None:
    assert machine().ended(Ending.TOO_LONG, 60) == Call(1)


def test_a_retry_after_beyond_our_patience_goes_to_the_next_target() -> None:
    assert machine().ended(Ending.OVERLOADED, 600, retry_after=120) == Call(1)


def test_no_wait_passes_the_deadline() -> None:
    assert machine(targets=1).ended(Ending.OVERLOADED, 1.0, retry_after=2.0) == Stop()


def test_nothing_is_called_after_the_deadline() -> None:
    assert machine().ended(Ending.SILENT, 0.0) == Stop()


def test_waits_stay_between_base_and_cap() -> None:
    dice = random.Random(7)
    seen: list[Step] = []
    for _ in range(500):
        attempts = Attempts([RetryBudget()], Rules(per_target=9), dice.uniform)
        seen += [attempts.ended(Ending.BROKEN, 1e9) for _ in range(8)]
    waits = [step.seconds for step in seen if isinstance(step, Wait)]
    assert min(waits) >= 0.25
    assert max(waits) <= 8.0


@pytest.mark.requirement(48)
def test_clients_that_fail_together_do_not_return_together() -> None:
    dice = random.Random(11)
    second = []
    for _ in range(1000):
        attempts = Attempts([RetryBudget()], Rules(), dice.uniform)
        first = attempts.ended(Ending.BROKEN, 1e9)
        again = attempts.ended(Ending.BROKEN, 1e9)
        assert isinstance(first, Wait)
        assert isinstance(again, Wait)
        second.append(first.seconds + again.seconds)
    busiest = max(sum(1 for at in second if slot / 10 <= at < (slot + 1) / 10) for slot in range(40))
    assert busiest < 150, "no tenth of a second takes 15 % of the retries"


def test_under_full_failure_retries_are_a_tenth_and_ten() -> None:
    budget, calls = RetryBudget(), 0
    for _ in range(1000):
        attempts = Attempts([budget], Rules(), lambda low, _high: low)
        calls += 1
        while isinstance(attempts.ended(Ending.BROKEN, 60), Wait):
            calls += 1
    assert calls <= 1.1 * 1000 + 10


def test_a_success_earns_a_tenth_of_a_retry() -> None:
    budget = RetryBudget(stock=1)
    assert budget.spend()
    assert not budget.spend()
    attempts = Attempts([budget], Rules(), lambda low, _high: low)
    for _ in range(10):
        attempts.answered()
    assert budget.spend()


def test_stop_is_what_a_refusal_means() -> None:
    assert {ending for ending, then in TABLE.items() if then is Then.STOP} == {Ending.REFUSED, Ending.CONTENT}
