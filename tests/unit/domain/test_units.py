import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.budgets import Window
from clavero.domain.money import NANO
from clavero.domain.units import (
    format_ago,
    format_duration,
    format_limit,
    format_size,
    money,
    parse_duration,
    parse_limit,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600), ("1d12h", 129_600)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "7 d", "1y", "999999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|100 years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("512", 512), ("10MB", 10_000_000), ("10 MiB", 10 << 20), ("1gib", 1 << 30)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1TB", "1.5MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("$10/day", (10 * NANO, Window.DAY)),
        ("1,000.50/month", (1_000_500_000_000, Window.MONTH)),
        ("$5", (5 * NANO, Window.FOREVER)),
        (" 7 / Week ", (7 * NANO, Window.WEEK)),
        ("$3/ever", (3 * NANO, Window.FOREVER)),
    ],
)
def test_limits_are_read(text: str, limit: tuple[int, Window]) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["", "ten/day", "$10/hour", "$10/", "$-1/day", "$10/day/day"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|window"):
        parse_limit(text)


@given(st.integers(0, 10**9), st.sampled_from(Window))
def test_a_limit_is_written_as_it_is_read(cents: int, window: Window) -> None:
    amount = cents * NANO // 100
    assert parse_limit(format_limit(amount, window)) == (amount, window)


def test_money_follows_the_language() -> None:
    assert money(1_204_500_000_000, 2, "en") == "$1,204.50"
    assert money(1_204_500_000_000, 2, "es") == "1\u202f204.50 USD"
    assert money(-NANO, 2, "en") == "-$1.00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (7_500, "2 h 5 min"),
        (11_000, "3 h"),
        (90_000, "1 d 1 h"),
        (29 * 86_400, "29 d"),
    ],
)
def test_spans_say_their_largest_units(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


def test_a_moment_is_told_against_now() -> None:
    hour = 3_600 * 10**9
    assert format_ago(0, 3 * hour) == "3 h ago"
    assert format_ago(29 * 24 * hour, 0) == "in 29 d"
    assert format_ago(0, 3 * hour, "es") == "hace 3 h"
    assert format_ago(3 * hour, 0, "es") == "dentro de 3 h"
    assert format_ago(5, 5) == "now"
    assert format_ago(5, 5, "es") == "ahora"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (10 << 20, "10.0 MiB"), (5 << 40, "5120.0 GiB")]
)
def test_sizes_are_written(size: int, text: str) -> None:
    assert format_size(size) == text
