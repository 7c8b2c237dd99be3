"""`clavero service`: programs that hold keys, each in one project."""

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.options import COMMON, Common, changes
from clavero.entrypoints.cli.when import shown


def list_(*, common: Common = COMMON) -> int:
    """List every service, its project, its team, and who is on call for it.

    Example: clavero service list
    """
    answer = common.api().get("/services")
    if common.json:
        return common.answer(answer)
    rows = [
        (one["name"], one["project"], one["team"], one["on_call"] or "-", shown(one["created_at"]),
         one["repository"] or "-")
        for one in answer["services"]
    ]  # fmt: skip
    return common.table(
        "NAME PROJECT TEAM ON-CALL CREATED REPOSITORY", rows, "clavero service add NAME --project PROJECT"
    )


def add(
    name: str, /, *, project: str, repository: str = "", on_call: str = "", reason: str = "", common: Common = COMMON
) -> int:
    """Add a service to a project.

    Example: clavero service add support-chat --project support-copilot

    Parameters
    ----------
    name
        Words of a-z and 0-9 with hyphens between.
    project
        Where it belongs.
    repository
        Where its code is.
    on_call
        Who is reached when it stands still: a name, a number, a channel.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post(
        "/services", name=name, project=project, repository=repository, on_call=on_call, reason=reason
    )
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0


def update(
    name: str,
    /,
    *,
    project: str | None = None,
    repository: str | None = None,
    on_call: str | None = None,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Say where a service's code is and who is on call for it, or move it to another project.

    Example: clavero service update support-chat --repository github.com/acme/support-chat --on-call "#support-oncall"

    Parameters
    ----------
    name
        Its name.
    project
        Where it belongs from now on; spend from then on is that team's.
    repository
        Where its code is.
    on_call
        Who is reached when it stands still: a name, a number, a channel.
    reason
        Why; kept in the audit trail.
    """
    sent = changes(project=project, repository=repository, on_call=on_call, reason=reason)
    made = common.api().patch(path_of("services", name), **sent)
    common.note("updated", name=made["name"])
    return common.answer(made) if common.json else 0
