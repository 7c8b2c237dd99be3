from typing import Any

import pytest
from tests.unit.entrypoints.http.console.things import DAY, HOUR, NOW, a_key, an_exchange, rotated

from clavero.domain.audit import AuditRow
from clavero.domain.keys import Key, KeyState, KeyVersion
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.key_views import KeyView, OneKey, key_view
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.reads import Spent


def view(key: Key, **changed: Any) -> KeyView:
    facts: dict[str, Any] = {
        "key": key, "last_ns": 0, "month": Spent(), "calls": [], "standings": [], "audit": [], "team": "t", "project": "p",
    } | changed  # fmt: skip
    return key_view(OneKey(**facts), Messages("en"), Formats("en", NOW))


@pytest.mark.parametrize(
    ("state", "verbs"),
    [
        (KeyState.PENDING, "rotate disable revoke"), (KeyState.ACTIVE, "rotate disable revoke"),
        (KeyState.DISABLED, "enable revoke"), (KeyState.REVOKED, ""), (KeyState.RETIRED, ""),
    ],
)  # fmt: skip
def test_a_key_offers_only_what_its_state_allows(state: KeyState, verbs: str) -> None:
    shown = view(a_key(state=state, reason="leak"))
    offered = {verb for verb in ("rotate", "disable", "enable", "revoke") if getattr(shown, f"can_{verb}")}
    assert offered == set(verbs.split())
    assert (shown.reason == "leak") is (state in {KeyState.DISABLED, KeyState.REVOKED, KeyState.RETIRED})


def test_each_version_says_how_long_it_works_newest_first() -> None:
    new, old = view(rotated()).versions
    assert (new.number, new.state, new.until) == (2, "active", "until rotated")
    assert (old.state, old.until_short, old.tone) == ("rotating", "19:20", "warned")
    (only,) = view(a_key(state=KeyState.REVOKED)).versions
    assert (only.state, only.until) == ("revoked", "\u2013")


@pytest.mark.parametrize("age", [1, 60 * 10**9, 3 * HOUR, 2 * DAY, 40 * DAY, 3 * 365 * DAY])
def test_a_life_line_can_be_drawn_at_any_age(age: int) -> None:
    version = KeyVersion(1, b"", 1, "aaaa", NOW - age)
    drawn = view(a_key(created_ns=NOW - age, versions=(version,), expires_ns=NOW + age)).life
    assert drawn.count('class="tick"') <= 13
    assert "expires" in drawn


def test_a_life_line_keeps_the_newest_six_versions() -> None:
    versions = tuple(
        KeyVersion(n, b"", 1, "aaaa", NOW - (30 - n) * DAY, NOW - (29 - n) * DAY if n < 20 else 0) for n in range(1, 21)
    )
    drawn = view(a_key(versions=versions)).life
    assert drawn.count('height="18" rx="2"') == 6
    assert "v20" in drawn


def test_changes_and_calls_are_told_in_words() -> None:
    known = AuditRow(
        seq=1,
        at_ns=NOW - HOUR,
        actor="asha",
        actor_kind="user",
        action="key.disable",
        object_kind="k",
        object_id="x",
        reason="leak",
    )
    strange = AuditRow(
        seq=2, at_ns=NOW, actor="asha", actor_kind="user", action="key.polish", object_kind="k", object_id="x"
    )
    shown = view(
        a_key(), audit=[known, strange], calls=[an_exchange()], last_ns=NOW - 2 * 10**9, month=Spent(1, 1_801_000)
    )
    assert [line.said for line in shown.audit] == ["asha disabled it", "asha: key.polish"]
    assert shown.audit[0].reason == "leak"
    assert shown.traffic_said == "1 call in 30 days, 0.0018\u00a0USD"
    assert "last call 2\u00a0s ago" in shown.facts
    assert shown.calls[0].url == "" and shown.calls[0].id == "req_7Hc2Vn0q"  # noqa: PT018 - one fact
