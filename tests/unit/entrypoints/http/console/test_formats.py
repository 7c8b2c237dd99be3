import pytest

from clavero.entrypoints.http.console.formats import Formats

NOW = 1_795_098_000 * 10**9  # Thu 19 Nov 2026 14:20 UTC
EN, ES = Formats("en", NOW), Formats("es", NOW)
SECOND = 10**9


def test_money_is_exact_and_written_as_the_language_does() -> None:
    assert EN.money(1_284_600_000_000) == "1,284.60"
    assert ES.money(1_284_600_000_000) == "1.284,60"
    assert EN.usd(1_284_600_000_000) == "1,284.60\u00a0USD"
    assert EN.money(1_801_499, 6) == "0.001801"
    assert EN.money(9_007_199_254_740_993, 9) == "9,007,199.254740993"  # no float on the way
    assert EN.money(-4_000_000_000) == "\u22124.00"


def test_a_limit_has_cents_only_where_it_has_some() -> None:
    assert EN.limit(2_000 * SECOND) == "2,000"
    assert ES.limit(10_500_000_000) == "10,50"


def test_a_share_has_a_space_in_spanish() -> None:
    assert EN.percent(0.64) == "64%"
    assert ES.percent(0.0041, 2) == "0,41\u00a0%"


@pytest.mark.parametrize(
    ("microseconds", "said"),
    [(420, "0.4\u00a0ms"), (1_100, "1.1\u00a0ms"), (640_000, "640\u00a0ms"), (2_840_000, "2.84\u00a0s")],
)
def test_a_length_of_time_has_the_unit_it_needs(microseconds: int, said: str) -> None:
    assert EN.took(microseconds) == said


def test_instants_are_utc_and_short_within_a_day() -> None:
    assert EN.nearly(NOW - 3600 * SECOND) == "13:20"
    assert EN.nearly(NOW - 40 * 86_400 * SECOND) == "10 Oct 2026"
    assert EN.moment(NOW) == "19 Nov 2026, 14:20 UTC"
    assert EN.minute(NOW) == "19 Nov 2026, 14:20"
    assert ES.today() == "Jueves 19 de noviembre de 2026, 14:20 UTC"
    assert EN.clock(NOW + 7_840_000_000) == "14:20:07.8"
    assert (EN.hour(NOW), EN.day(NOW), EN.short_day(NOW), EN.month(NOW)) == (
        "14:20",
        "19 Nov 2026",
        "19 Nov",
        "Nov 2026",
    )
    assert EN.iso_day(NOW) == "2026-11-19"


def test_what_never_was_is_a_dash() -> None:
    assert {EN.moment(0), EN.minute(0), EN.nearly(0), EN.day(0), EN.span(0)} == {"\u2013"}
    assert EN.iso_day(0) == ""


def test_a_span_is_the_same_before_and_after() -> None:
    assert EN.span(NOW - 6 * 60 * SECOND) == EN.span(NOW + 6 * 60 * SECOND) == "6\u00a0min"
    assert EN.seconds(4_620_000) == "4.62"
    assert EN.count(284_106) == "284,106"


def test_a_column_of_small_sums_has_the_decimals_that_tell_them_apart() -> None:
    assert EN.places([]) == EN.places([0]) == EN.places([100_000_000, 5]) == 2
    assert EN.places([99_999_999]) == EN.places([1_000_000]) == 4
    assert EN.places([999_999, 0]) == 6
