"""`clavero model`: names that callers ask for, and where each leads."""

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.options import COMMON, Common


def list_(*, common: Common = COMMON) -> int:
    """List declared names; any other goes to the first provider whose models match it.

    Example: clavero model list
    """
    answer = common.api().get("/models")
    if common.json:
        return common.answer(answer)
    rows = [(one["name"], one["provider"], one["served"], one["fallback"] or "-") for one in answer["models"]]
    return common.table("NAME PROVIDER SERVED FALLBACK", rows, "clavero model set NAME --provider PROVIDER")


def set_(
    name: str,
    /,
    *,
    provider: str,
    served: str = "",
    fallback: str = "",
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Declare where a name leads, or change it.

    Example: clavero model set fast --provider openai --served gpt-4o-mini --fallback claude-haiku-4-5

    Parameters
    ----------
    name
        The name that callers ask for.
    provider
        Who answers.
    served
        What the provider calls it; the name itself where it is left out.
    fallback
        Another name to go to when that fails.
    reason
        Why; kept in the audit trail.
    """
    model = common.api().put(
        path_of("models", name), provider=provider, served=served, fallback=fallback, reason=reason
    )
    common.note("updated", name=f"{model['name']} → {model['provider']}/{model['served']}")
    return common.answer(model) if common.json else 0


def remove(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Remove a declared name; refused while it is another one's fallback.

    Example: clavero model remove fast

    Parameters
    ----------
    name
        The name that callers ask for.
    reason
        Why; kept in the audit trail.
    """
    gone = common.api().delete(path_of("models", name), reason=reason)
    common.note("removed", name=gone["name"])
    return common.answer(gone) if common.json else 0
