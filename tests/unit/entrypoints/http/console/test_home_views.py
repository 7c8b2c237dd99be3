from typing import Any

import pytest
from tests.unit.entrypoints.http.console.things import DAY, HOUR, NOW, a_key, a_standing

from clavero.domain.budgets import Subject
from clavero.domain.catalogue import Language
from clavero.domain.money import NANO
from clavero.entrypoints.http.console.figures import Speed, Sums, steps
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.home_views import QUARTER, Facts, HomeView, home
from clavero.entrypoints.http.console.messages import LANGUAGES, Messages
from clavero.entrypoints.http.console.reads import Spent

MIDNIGHT = NOW - NOW % DAY
WHOLE = {"subject": Subject.ORGANISATION, "name": "default", "shown": "default"}


def shown(language: Language = "en", chart: str = "spend", **changed: Any) -> HomeView:
    count = -(-(NOW - MIDNIGHT) // QUARTER)
    quarters = [Sums(MIDNIGHT + n * QUARTER, calls=10, cost_n=NANO // 4) for n in range(count)]
    hours = [Sums(NOW - (24 - n) * HOUR, calls=40, cost_n=NANO) for n in range(24)]
    facts: dict[str, Any] = {
        "quarters": quarters, "hours": hours, "clock_hours": hours, "speed": Speed(2_840_000, 1_100), "codes": {},
        "standings": [], "keys": [a_key()], "today": {},
    } | changed  # fmt: skip
    return home(Facts(**facts), Messages(language), Formats(language, NOW), chart)


def test_every_figure_has_its_partner() -> None:
    for figure in shown().figures:
        assert figure.partner
        assert figure.url.startswith("/")


def test_spend_stands_beside_the_budget_of_the_organisation() -> None:
    spend, burn, *_ = shown(standings=[a_standing(14 * NANO, 20 * NANO, held_n=NANO, **WHOLE)]).figures
    assert (spend.value, spend.unit) == ("14.00", "of 20")
    assert spend.partner == "70% · held 1.00 · resets 00:00"
    assert (burn.partner, burn.tone) == ("runs out 20:20", "warned")  # 6 USD left at 1 USD an hour


def test_a_budget_that_lasts_does_not_run_out() -> None:
    _, burn, *_ = shown(standings=[a_standing(1, 100 * NANO, **WHOLE)]).figures
    assert (burn.partner, burn.tone) == ("hour before 1.00", "")


def test_ours_is_told_apart_from_the_whole() -> None:
    p95 = shown().figures[3]
    assert (p95.value, p95.unit, p95.partner) == ("2.84", "s", "ours 1.1\u00a0ms")
    assert shown(speed=Speed()).figures[3].partner == "no calls"


def test_a_refusal_is_no_error() -> None:
    hours = [Sums(NOW - (24 - n) * HOUR, calls=100, failed=1, refused=7) for n in range(24)]
    errors = shown(hours=hours).figures[4]
    assert (errors.value, errors.partner) == ("1.00%", "1 of 100 · 7 refused")


def test_the_table_beside_the_chart_sums_to_the_figure() -> None:
    view = shown()
    assert view.chart.rows[-1][2] == f"{view.figures[0].value}00" == "14.5000"
    assert len(view.chart.rows) == 15  # the hours since midnight that have begun


def test_the_chart_shows_the_crossing_only_where_there_is_one() -> None:
    tight = shown(standings=[a_standing(14 * NANO, 20 * NANO, **WHOLE)]).chart.wide
    assert "runs out 20:20" in tight
    assert "Budget 20" in tight
    assert "runs out" not in shown().chart.wide


def test_requests_are_bars_of_three_parts_with_a_legend() -> None:
    view = shown(chart="requests")
    assert [word for _, word in view.legend] == ["Answered", "Refused", "Failed"]
    assert len(view.chart.rows) == 24
    assert view.chart.wide.count("<g>") == 24


def test_an_empty_day_is_drawn_all_the_same() -> None:
    nothing: dict[str, Any] = {"quarters": steps({}, MIDNIGHT, NOW, QUARTER), "hours": steps({}, NOW - DAY, NOW, HOUR)}
    for chart in ("spend", "requests", "nonsense"):
        view = shown(chart=chart, **nothing, clock_hours=nothing["hours"], speed=Speed(), keys=[])
        assert "<svg" in view.chart.wide
    assert view.needs == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_spends_most_is_named_and_shares_are_of_today(language: Language) -> None:
    today = {"id-prod-support-chat-01": Spent(3, 3 * NANO), "gone": Spent(1, NANO), "id-idle": Spent(9, 0)}
    (top,) = shown(language, today=today).top
    assert (top.name, top.share.replace("\u00a0", "")) == ("prod-support-chat-01", "75%")
