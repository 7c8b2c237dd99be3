import pytest

from clavero.entrypoints.cli.when import instant_ns, milliseconds, shown


def test_a_moment_of_the_api_keeps_its_microseconds() -> None:
    assert instant_ns("1970-01-01T00:00:01Z") == 10**9
    assert instant_ns("2026-11-23T14:05:00.123456Z") % 10**9 == 123_456_000


def test_a_moment_is_shown_with_its_zone_and_never_is_empty() -> None:
    assert shown("2026-11-23T14:05:00Z") == "2026-11-23 14:05 UTC"
    assert shown(None) == ""


@pytest.mark.parametrize(
    ("micros", "text"), [(0, "0.0 ms"), (310, "0.3 ms"), (9_999, "10.0 ms"), (2_004_900, "2,005 ms")]
)
def test_short_times_have_a_decimal_and_long_ones_have_commas(micros: int, text: str) -> None:
    assert milliseconds(micros) == text
