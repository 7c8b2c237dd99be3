"""`clavero service`: programs that hold keys, each in one project."""

from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.when import shown


def list_(*, common: Common = COMMON) -> int:
    """List every service, its project and its team.

    Example: clavero service list
    """
    answer = common.api().get("/services")
    if common.json:
        return common.answer(answer)
    rows = [(one["name"], one["project"], one["team"], shown(one["created_at"])) for one in answer["services"]]
    return common.table("NAME PROJECT TEAM CREATED", rows, "clavero service add NAME --project PROJECT")


def add(name: str, /, *, project: str, reason: str = "", common: Common = COMMON) -> int:
    """Add a service to a project.

    Example: clavero service add support-chat --project support-copilot

    Parameters
    ----------
    name
        Words of a-z and 0-9 with hyphens between.
    project
        Where it belongs.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post("/services", name=name, project=project, reason=reason)
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0
