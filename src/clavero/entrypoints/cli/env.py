"""`clavero env`: where software runs; its name stands in keys, and its risk tier says what they must have."""

from typing import Literal

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown

Tier = Literal["low", "standard", "critical"]


def list_(*, common: Common = COMMON) -> int:
    """List every environment and its risk tier.

    Example: clavero env list
    """
    answer = common.api().get("/environments")
    if common.json:
        return common.answer(answer)
    rows = [(one["name"], one["tier"], shown(one["created_at"])) for one in answer["environments"]]
    return common.table("NAME TIER CREATED", rows, "clavero env add NAME")


def add(name: str, /, *, tier: Tier = "standard", reason: str = "", common: Common = COMMON) -> int:
    """Add an environment.

    Example: clavero env add staging

    Parameters
    ----------
    name
        2 to 8 of a-z and 0-9.
    tier
        How much harm its keys can do.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post("/environments", name=name, tier=tier, reason=reason)
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0


def update(name: str, /, *, tier: Tier, reason: str = "", common: Common = COMMON) -> int:
    """Set the risk tier: what keys must have there from now on.

    Example: clavero env update prod --tier critical

    Parameters
    ----------
    name
        Its name.
    tier
        How much harm its keys can do. standard: rotated every 60 days. critical: ended or rotated within 30, on call.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().patch(path_of("environments", name), tier=tier, reason=reason)
    common.note("updated", name=made["name"])
    return common.answer(made) if common.json else 0


def drift(*, common: Common = COMMON) -> int:
    """List the keys that do not meet what the tier of their environment demands, each with what mends it.

    Example: clavero env drift
    """
    answer = common.api().get("/drift")
    if common.json:
        return common.answer(answer)
    if not answer["drift"]:
        common.note("drift_none")
        return 0
    rows = [(one["key"], one["tier"], speak(f"drift_{one['demand']}"), one["fix"]) for one in answer["drift"]]
    common.table("KEY TIER FACT FIX", rows, "")
    if answer["total"] > len(rows):
        common.note("not_shown", count=answer["total"] - len(rows))
    return 0
