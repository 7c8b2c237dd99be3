"""`clavero team`: who pays for services."""

from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.when import shown


def list_(*, common: Common = COMMON) -> int:
    """List every team.

    Example: clavero team list
    """
    answer = common.api().get("/teams")
    if common.json:
        return common.answer(answer)
    rows = [(one["name"], shown(one["created_at"])) for one in answer["teams"]]
    return common.table("NAME CREATED", rows, "clavero team add NAME")


def add(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Add a team.

    Example: clavero team add support

    Parameters
    ----------
    name
        Words of a-z and 0-9 with hyphens between.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post("/teams", name=name, reason=reason)
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0
