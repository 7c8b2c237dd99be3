import pytest

from clavero.entrypoints.http.console.figures import Sums, rank_of, running, runs_out, steps, together

HOUR = 3600 * 10**9


def test_steps_without_calls_are_there_as_zero() -> None:
    found = steps({1: Sums(HOUR, 3, 1, 1, 500)}, 0, 3 * HOUR, HOUR)
    assert [one.calls for one in found] == [0, 3, 0]
    assert [one.at_ns for one in found] == [0, HOUR, 2 * HOUR]
    assert found[1].answered == 1


def test_a_step_that_has_begun_counts() -> None:
    assert len(steps({}, 0, 2 * HOUR + 1, HOUR)) == 3
    assert len(steps({}, 5, 5, HOUR)) == 1


def test_quarters_make_hours_and_nothing_is_lost() -> None:
    quarters = [Sums(n, calls=n, cost_n=n) for n in range(1, 7)]
    whole = together(quarters, 4)
    assert [one.calls for one in whole] == [10, 11]
    assert sum(one.cost_n for one in whole) == 21
    assert running(quarters)[-1] == 21


@pytest.mark.parametrize(("count", "rank"), [(1, 0), (2, 1), (20, 18), (100, 94), (1000, 949)])
def test_the_95th_is_the_value_that_95_in_a_hundred_do_not_exceed(count: int, rank: int) -> None:
    assert rank_of(count, 95) == rank


def test_a_budget_runs_out_when_the_pace_has_eaten_what_is_left() -> None:
    assert runs_out(2_000, 1_000, 0, 10 * HOUR) == 2 * HOUR
    assert runs_out(2_000, 1_000, 0, HOUR) == 0  # the window ends first
    assert runs_out(2_000, 0, 0, HOUR) == runs_out(0, 5, 0, HOUR) == 0
    assert runs_out(2_000, 1_000, 0, 0) == 2 * HOUR  # a budget for ever
