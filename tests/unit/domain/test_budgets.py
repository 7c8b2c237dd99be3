from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.budgets import (
    BudgetId,
    Subject,
    Window,
    budget_id,
    budget_parts,
    period_end,
    period_start,
    utc,
    window_of,
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        (Window.DAY, "2026-11-22", "2026-11-23"),
        (Window.WEEK, "2026-11-16", "2026-11-23"),  # a Monday
        (Window.MONTH, "2026-11-01", "2026-12-01"),
    ],
)
def test_windows_are_utc_and_weeks_begin_on_monday(window: Window, start: str, end: str) -> None:
    now = at("2026-11-22T23:59:59")
    assert period_start(window, now * 10**9) == at(start)
    assert period_end(window, at(start)) == at(end)


def test_for_ever_has_neither_start_nor_end() -> None:
    assert period_start(Window.FOREVER, 10**18) == 0
    assert period_end(Window.FOREVER, 0) is None


@given(st.sampled_from([Window.DAY, Window.WEEK, Window.MONTH]), st.integers(0, 4_000_000_000))
def test_every_second_lies_in_exactly_one_window(window: Window, second: int) -> None:
    start = period_start(window, second * 10**9)
    end = period_end(window, start)
    assert end is not None
    assert start <= second < end
    assert period_start(window, end * 10**9) == end
    assert period_start(window, (end - 1) * 10**9) == start


def test_an_id_says_subject_name_and_window() -> None:
    identity = budget_id(Subject.TEAM, "support", Window.DAY)
    assert identity == BudgetId("team/support:day")
    assert budget_parts(identity) == (Subject.TEAM, "support")
    assert window_of(identity) is Window.DAY


@pytest.mark.parametrize("text", ["", "x", "team/x", "planet/x:day", "/:"])
def test_what_is_no_id_has_no_parts(text: str) -> None:
    assert budget_parts(text) is None


def test_seconds_are_told_as_programs_read_them() -> None:
    assert utc(at("2026-11-23")) == "2026-11-23T00:00:00Z"
