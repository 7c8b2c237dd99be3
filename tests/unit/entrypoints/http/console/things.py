"""Keys, budgets and exchanges as the views are given them."""

from typing import Any

from msgspec.structs import replace

from clavero.control.budgets import Standing
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.keys import Key, KeyState, KeyVersion, Kid
from clavero.domain.usage import Attempt, Exchange, Tokens

NOW = 1_795_098_000 * 10**9  # Thu 19 Nov 2026 14:20 UTC
HOUR = 3600 * 10**9
DAY = 24 * HOUR


def a_key(name: str = "prod-support-chat-01", **changed: Any) -> Key:
    """An active key with one version, ten days old."""
    version = KeyVersion(1, b"", 1, "8fQ1", NOW - 10 * DAY)
    key = Key(
        id=Kid(f"id-{name}"), name=name, owner="asha", service="support", environment="prod", models=("gpt-4o-mini",),
        versions=(version,), created_ns=NOW - 10 * DAY,
    )  # fmt: skip
    return replace(key, **changed)


def rotated(name: str = "prod-support-chat-01", grace_ns: int = 5 * HOUR) -> Key:
    """A key with two versions that both work, the old one for so long."""
    old = KeyVersion(1, b"", 1, "aaaa", NOW - 10 * DAY, NOW + grace_ns)
    new = KeyVersion(2, b"", 1, "bbbb", NOW - HOUR)
    return a_key(name, state=KeyState.ROTATING, versions=(old, new))


def a_standing(spent_n: int, limit_n: int = 100, **changed: Any) -> Standing:
    """A key's daily budget, so much of it spent."""
    facts = {"subject": Subject.KEY, "name": "id-prod-support-chat-01", "window": Window.DAY} | changed
    shown = facts.pop("shown", "prod-support-chat-01")
    held_n = facts.pop("held_n", 0)
    budget = Budget(id=budget_id(facts["subject"], facts["name"], facts["window"]), limit_n=limit_n, **facts)
    return Standing(
        budget=budget, name=shown, spent_n=spent_n, held_n=held_n, lost_n=0, excess_n=0,
        left_n=max(0, limit_n - spent_n), starts_ns=NOW - NOW % DAY,
        resets_ns=0 if facts["window"] is Window.FOREVER else NOW - NOW % DAY + DAY,
    )  # fmt: skip


def an_exchange(**changed: Any) -> Exchange:
    """A streamed chat that went well at the first attempt."""
    one = Exchange(
        request_id="req_7Hc2Vn0q", at_ns=NOW - HOUR, key_id="id-prod-support-chat-01", key_version=1, service="support",
        endpoint="chat", model_asked="gpt-4o-mini", model_served="gpt-4o-mini", provider="openai-main",
        tokens=Tokens(input=1870, cached=2048, output=641), cost_n=1_801_000, price_version="2026-11-01",
        attempts=(Attempt("openai-main", "gpt-4o-mini", 1100, 4_620_000, 200, 1_310_000),), first_token_us=1_310_000,
        total_us=4_620_000, overhead_us=1100, status=200, streamed=True, held_n=12_092_000, peer="10.20.4.31",
    )  # fmt: skip
    return replace(one, **changed)
