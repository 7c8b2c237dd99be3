from typing import Any

from tests.unit.entrypoints.http.console.things import DAY, HOUR, NOW, a_key, a_standing, rotated

from clavero.control.tiers import Drift
from clavero.domain.budgets import Subject, Window
from clavero.domain.keys import KeyState
from clavero.domain.members import Leaver
from clavero.domain.organisation import Tier
from clavero.domain.tiers import Breach, Demand
from clavero.entrypoints.http.console.figures import Sums
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.needs import Need, Trouble, needs

QUIET = Sums(NOW - HOUR, calls=1000)


def found(**changed: Any) -> list[Need]:
    facts: dict[str, Any] = {"hour": QUIET, "codes": {}, "standings": [], "keys": [], "rejects": 0} | changed
    return needs(Trouble(**facts), Messages("en"), Formats("en", NOW))


def test_where_all_is_well_nothing_is_said() -> None:
    assert found(keys=[a_key()], standings=[a_standing(79)], codes={"model_not_allowed": 4}) == []


def test_what_harms_first_stands_first() -> None:
    lines = found(
        rejects=2, standings=[a_standing(100), a_standing(85, name="other", shown="prod-b-01")],
        keys=[a_key(expires_ns=NOW + DAY), rotated("prod-c-01")], codes={"unpriced_model": 1},
    )  # fmt: skip
    assert [line.tone for line in lines] == ["bad", "bad", "warn", "warn", "warn", ""]
    assert lines[0].title == "2 records could not be posted"
    assert all(line.action and line.url.startswith("/") for line in lines)


def test_a_spent_budget_says_what_its_calls_get_and_until_when() -> None:
    (line,) = found(standings=[a_standing(10**9, 10**9)])
    assert line.title == "Budget key <code>prod-support-chat-01</code> is spent"
    assert line.detail == "1.00 of 1.00\u00a0USD. Its calls get 429 until 00:00."
    assert line.url == "/keys/prod-support-chat-01"
    (line,) = found(standings=[a_standing(9, 10, subject=Subject.ORGANISATION, name="default", window=Window.FOREVER)])
    assert line.title == "Budget organisation is 90% spent"
    assert "does not reset" in line.detail


def test_a_provider_that_refuses_us_and_failing_calls_are_two_things() -> None:
    auth = found(hour=Sums(0, calls=100, failed=40), codes={"upstream_auth_failed": 40})
    assert [line.url for line in auth] == ["/requests?code=upstream_auth_failed"]
    failing = found(hour=Sums(0, calls=100, failed=9), codes={"upstream_timeout": 6, "upstream_error": 3})
    assert [line.url for line in failing] == ["/requests?code=upstream_timeout"]
    assert failing[0].title == "9% of calls fail"


def test_keys_whose_owner_left_are_soon_and_once_overdue_now() -> None:
    over = a_key("prod-c-01", state=KeyState.REVOKED)
    for due_ns, tone in ((NOW + DAY, "warn"), (NOW, "bad")):
        (line,) = found(keys=[a_key(), a_key("prod-b-01"), over], gone={"asha": Leaver("asha", 1, due_ns)})
        assert (line.tone, line.title, line.url) == (tone, "2 keys have an owner who left", "/keys?quick=orphaned")


def test_a_key_that_breaks_its_tier_is_named_the_critical_one_first() -> None:
    old, bare = (Breach(demand=one, fact="-", fix="-") for one in (Demand.ROTATION, Demand.ON_CALL))
    drift = [Drift(a_key("dev-a-01"), Tier.STANDARD, old), Drift(a_key("prod-b-01"), Tier.CRITICAL, bare)]
    (line,) = found(drift=drift)
    assert (line.tone, line.title, line.url) == ("warn", "2 demands of risk tiers are not met", "/keys/prod-b-01")
    assert "names nobody on call" in line.detail


def test_a_few_calls_say_nothing_about_a_share() -> None:
    assert found(hour=Sums(0, calls=5, failed=5), codes={"upstream_error": 5}) == []


def test_a_key_that_is_over_needs_nothing() -> None:
    over = a_key(expires_ns=NOW + DAY, state=KeyState.REVOKED)
    assert found(keys=[over, a_key(expires_ns=NOW - DAY), rotated(grace_ns=2 * DAY)]) == []


def test_no_more_than_eight_lines_are_shown() -> None:
    assert len(found(standings=[a_standing(95, name=str(n), shown=f"prod-x-{n:02d}") for n in range(20)])) == 8


def test_a_name_is_only_words() -> None:
    (line,) = found(standings=[a_standing(95, subject=Subject.TEAM, name="x", shown="<b>x</b>")])
    assert "<b>" not in line.title
