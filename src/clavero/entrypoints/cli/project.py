"""`clavero project`: pieces of work, each of one team."""

from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.when import shown


def list_(*, common: Common = COMMON) -> int:
    """List every project and its team.

    Example: clavero project list
    """
    answer = common.api().get("/projects")
    if common.json:
        return common.answer(answer)
    rows = [(one["name"], one["team"], shown(one["created_at"])) for one in answer["projects"]]
    return common.table("NAME TEAM CREATED", rows, "clavero project add NAME --team TEAM")


def add(name: str, /, *, team: str, reason: str = "", common: Common = COMMON) -> int:
    """Add a project of a team.

    Example: clavero project add support-copilot --team support

    Parameters
    ----------
    name
        Words of a-z and 0-9 with hyphens between.
    team
        Whose it is.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post("/projects", name=name, team=team, reason=reason)
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0
