"""`clavero environment`: where software runs; its name stands in keys."""

from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.when import shown


def list_(*, common: Common = COMMON) -> int:
    """List every environment.

    Example: clavero environment list
    """
    answer = common.api().get("/environments")
    if common.json:
        return common.answer(answer)
    rows = [(one["name"], shown(one["created_at"])) for one in answer["environments"]]
    return common.table("NAME CREATED", rows, "clavero environment add NAME")


def add(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Add an environment.

    Example: clavero environment add staging

    Parameters
    ----------
    name
        2 to 8 of a-z and 0-9.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post("/environments", name=name, reason=reason)
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0
