"""`clavero env`: where software runs; its name stands in keys, and its risk tier says what they must have."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import Cell
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown

Tier = Literal["low", "standard", "critical"]


def list_(*, common: Common = COMMON) -> int:
    """List every environment, its risk tier, and the freeze that holds or comes next.

    Example: clavero env list
    """
    answer = common.api().get("/environments")
    if common.json:
        return common.answer(answer)
    rows = [
        (one["name"], one["tier"], _frozen(one["freezes"]), shown(one["created_at"])) for one in answer["environments"]
    ]
    return common.table("NAME TIER FREEZE CREATED", rows, "clavero env add NAME")


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


def freeze(
    name: str,
    /,
    *,
    until: str,
    reason: str,
    from_: Annotated[str, Parameter(name="--from")] = "",
    common: Common = COMMON,
) -> int:
    """Let nothing about the keys of an environment change for a time, but their revocation.

    Example: clavero env freeze prod --from 2026-11-27 --until 2026-12-01 --reason "black friday"

    Parameters
    ----------
    name
        Its name.
    until
        When it ends: a moment (UTC where it names no zone), or a length of time from now such as 24h.
    reason
        Why; whoever is refused is told, and the audit trail keeps it.
    from_
        When it begins; now, where nothing is said.
    """
    body = {"from": from_, "until": until, "reason": reason}
    made = common.api().send("POST", path_of("environments", name, "freeze"), body)
    if common.json:
        return common.answer(made)
    for one in made["freezes"]:
        common.tell(f"{made['name']}: {_window(one)}")
    return 0


def thaw(
    name: str,
    /,
    *,
    every: Annotated[bool, Parameter(name="--all")] = False,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """End the freeze that holds now.

    Example: clavero env thaw prod

    Parameters
    ----------
    name
        Its name.
    every
        Those to come as well.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post(path_of("environments", name, "thaw"), every=every or None, reason=reason)
    common.note("thawed", name=made["name"])
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


def _frozen(windows: list[dict[str, Any]]) -> Cell | str:
    """The window that holds or comes next, in the colour of what it means now."""
    return Cell(_window(windows[0]), "warn" if windows[0]["holds"] else "") if windows else "-"


def _window(one: dict[str, Any]) -> str:
    key = "frozen" if one["holds"] else "freeze"
    return speak(key, begin=shown(one["from_at"]), end=shown(one["until_at"]), reason=one["reason"])
