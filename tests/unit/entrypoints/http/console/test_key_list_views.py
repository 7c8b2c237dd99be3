from typing import Any

from tests.unit.entrypoints.http.console.things import DAY, NOW, a_key, a_standing, rotated

from clavero.domain.keys import KeyState
from clavero.domain.money import NANO
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.key_list_views import Asked, KeyFacts, KeysView, keys_view
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.reads import Spent

CALM, FULL = a_key("prod-calm-01"), a_key("prod-full-01")
GONE = a_key("prod-gone-01", state=KeyState.RETIRED)
STOPPED = a_key("prod-stopped-01", state=KeyState.DISABLED)
OLD = a_key("prod-old-01", created_ns=NOW - 90 * DAY)


def view(asked: Asked | None = None, **changed: Any) -> KeysView:
    keys = [CALM, FULL, GONE, STOPPED, OLD, rotated("prod-turning-01")]
    facts: dict[str, Any] = {
        "keys": keys, "last": {CALM.id: NOW - 2 * 10**9}, "today": {CALM.id: Spent(1204, NANO)},
        "month": {CALM.id: Spent(9000, 4 * NANO)}, "budgets": {FULL.id: a_standing(85)},
    } | changed  # fmt: skip
    return keys_view(KeyFacts(**facts), asked or Asked(), Messages("en"), Formats("en", NOW))


def names(found: KeysView) -> list[str]:
    return [row.name for row in found.rows]


def test_what_wants_a_look_comes_first_and_what_is_over_is_hidden() -> None:
    assert names(view())[0] == "prod-full-01"
    assert names(view())[-1] == "prod-stopped-01"
    assert "prod-gone-01" not in names(view())
    assert names(view(Asked(state="retired"))) == ["prod-gone-01"]


def test_quick_filters_count_what_they_show() -> None:
    assert dict(view().quick) == {"unused": 1, "full": 1}
    assert names(view(Asked(quick="unused"))) == ["prod-old-01"]
    assert names(view(Asked(quick="full"))) == ["prod-full-01"]


def test_a_row_says_use_spend_and_budget() -> None:
    row = next(row for row in view().rows if row.name == "prod-calm-01")
    assert (row.last, row.calls, row.spend, row.used) == ("2\u00a0s", "1,204", "4.00", "\u2013")
    row = next(row for row in view().rows if row.name == "prod-full-01")
    assert (row.last, row.idle, row.used, row.tone) == ("never", True, "85%", "warned")


def test_all_versions_that_work_are_named() -> None:
    row = next(row for row in view().rows if row.name == "prod-turning-01")
    assert row.versions == "v1 v2 · …bbbb"


def test_words_are_looked_for_everywhere_a_person_would() -> None:
    for query in ("CALM", "asha", CALM.id, "8fq1", "…8fQ1"):
        assert "prod-calm-01" in names(view(Asked(query)))
    nothing = view(Asked("zzz", "disabled"))
    assert (nothing.rows, nothing.what, nothing.filtered) == ([], "zzz, Disabled", True)


def test_an_expiry_is_told_by_how_near_it_is() -> None:
    days = {"prod-a-01": -DAY, "prod-b-01": 3 * DAY, "prod-c-01": 40 * DAY}
    keys = [a_key(name, expires_ns=NOW + ahead) for name, ahead in days.items()]
    due = {row.name: (row.due, row.due_tone) for row in view(keys=keys).rows}
    assert due["prod-a-01"] == ("expired", "harmed")
    assert due["prod-b-01"] == ("in 3\u00a0d", "warned")
    assert due["prod-c-01"] == ("in 40\u00a0d", "")


def test_many_keys_are_counted_and_not_all_drawn() -> None:
    many = view(keys=[a_key(f"prod-x-{number:04d}") for number in range(1000)])
    assert many.range == "200 of 1,000"
    assert many.summary == "1,000 keys: 1,000 active."
    assert view(keys=[]).summary == "No keys yet"
