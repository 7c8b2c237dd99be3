from typing import Any

import pytest

from clavero.entrypoints.cli.key_facts import described

KEY: dict[str, Any] = {
    "name": "prod-mail-01", "kid": "5hT0bVn3KcRa", "state": "active", "owner": "asha", "transfer_due_at": None, "on_call": "", "repository": "", "service": "mail", "environment": "prod",
    "team": "support", "project": "copilot", "purpose": "", "models": ["gpt-4o-mini"], "endpoints": ["chat"], "features": [],
    "expires_at": None, "last_used_at": None, "reason": "", "versions": [{"number": 1, "last_four": "Pz1k", "works": True, "ends_at": None}],
    "budgets": [{"limit": "$10/day", "spent_nano_usd": 4_200_000_000}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def test_a_key_is_told_by_state_scope_end_and_place() -> None:
    told = described(KEY)
    assert told["State"] == "active · version 1, …Pz1k · owner asha · never used"
    assert told["Scope"] == "gpt-4o-mini · chat · $10/day ($4.20)"
    assert told["Ends"] == "never expires"
    assert told["Place"] == "support / copilot / mail / prod"


def test_an_open_scope_is_said_in_words() -> None:
    assert described({**KEY, "models": [], "endpoints": [], "budgets": []})["Scope"] == "every model · every endpoint"


def test_former_versions_say_how_long_they_work() -> None:
    old = {"number": 1, "last_four": "Pz1k", "works": True, "ends_at": "2026-11-23T14:05:00Z"}
    new = {"number": 2, "last_four": "Lw8e", "works": True, "ends_at": None}
    assert described({**KEY, "versions": [new, old]})["v1"] == "…Pz1k · works until 2026-11-23 14:05 UTC"
    assert described({**KEY, "versions": [new, {**old, "works": False}]})["v1"] == "…Pz1k · ended 2026-11-23 14:05 UTC"


def test_an_owner_who_has_left_is_told_with_the_day_of_the_transfer() -> None:
    gone = {**KEY, "transfer_due_at": "2026-12-07T19:46:00Z"}
    assert "has left; transfer due by 2026-12-07 19:46 UTC" in described(gone)["Owner"]
    assert not described(KEY)["Owner"]
