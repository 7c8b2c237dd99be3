"""`clavero budget`: limits on what may be spent, and where each stands."""

from typing import Any, Literal

from clavero.domain.budgets import Subject, Window, budget_id, budget_parts
from clavero.domain.organisation import ORGANISATION
from clavero.domain.units import parse_limit
from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.confirm import confirm
from clavero.entrypoints.cli.failure import usage
from clavero.entrypoints.cli.options import COMMON, Common, ago, dollars
from clavero.entrypoints.cli.show import Cell, Row, bar
from clavero.entrypoints.cli.speech import speak

_SOON, _FULL = 0.8, 1.0


def list_(*, common: Common = COMMON) -> int:
    """List budgets: spent, held for open calls, and when each starts again.

    Example: clavero budget list
    """
    answer = common.api().get("/budgets")
    if common.json:
        return common.answer(answer)
    rows = [row(one) for one in answer["budgets"]]
    otherwise = "clavero budget set team/NAME --limit '$10/day'"
    return common.table("BUDGET SPENT HELD LIMIT USE RESETS POLICY STATE", rows, otherwise)


def set_(
    subject: str,
    /,
    *,
    limit: str,
    policy: Literal["reject", "clamp"] = "reject",
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Make a budget, or change the one that this subject has for this window; a lower limit binds at once.

    Example: clavero budget set team/support --limit '$10/day' --policy clamp

    Parameters
    ----------
    subject
        organisation, team/NAME, project/NAME, environment/NAME, service/NAME or key/NAME.
    limit
        Dollars and window, quoted for the shell: '$10/day', '$50/week', '$200/month', '$5' for ever.
    policy
        reject a call that may not fit, or clamp its output to what fits.
    reason
        Why; kept in the audit trail.
    """
    kind, name = read_subject(subject)
    check_limit(limit)
    told = common.api().put("/budgets", subject=str(kind), name=name, limit=limit, policy=policy, reason=reason)
    common.note("budget_set", name=f"{told['subject']}/{told['name']}", limit=told["limit"], policy=told["policy"])
    return common.answer(told) if common.json else 0


def delete(
    budget: str,
    /,
    *,
    yes: bool = False,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Close a budget: it binds no further call.

    Example: clavero budget delete team/support:day

    Parameters
    ----------
    budget
        Subject, name and window: team/support:day; it has to be typed again.
    yes
        Do not ask.
    reason
        Why; kept in the audit trail.
    """
    confirm(budget, yes=yes)
    api = common.api()
    known = api.get("/budgets")["budgets"]
    identity = next((one["id"] for one in known if budget in {one["id"], shown_id(one)}), budget)
    told = api.delete(path_of("budgets", identity), reason=reason)
    common.note("closed", name=budget)
    return common.answer(told) if common.json else 0


def read_subject(text: str) -> tuple[Subject, str]:
    """Subject and name of `team/support`; a usage error with what there is."""
    kind, _, name = text.partition("/")
    if kind == Subject.ORGANISATION:
        return Subject.ORGANISATION, name or ORGANISATION
    if kind not in set(Subject) or not name:
        raise usage(speak("bad_subject", text=text), f"{'/NAME, '.join(list(Subject)[1:])}/NAME", "bad_subject")
    return Subject(kind), name


def check_limit(text: str) -> None:
    """A usage error for a limit that cannot be read, as where the shell has eaten an unquoted `$1`."""
    try:
        parse_limit(text)
    except ValueError as error:
        raise usage(str(error), "--limit '$10/day'", "bad_limit") from None


def shown_id(budget: dict[str, Any]) -> str:
    """The id of a budget with the name that people know, in place of a key's public id."""
    return budget_id(Subject(budget["subject"]), budget["name"], Window(budget["window"]))


def row(budget: dict[str, Any]) -> Row:
    """One line of `budget list`."""
    limit, spent, held = budget["limit_nano_usd"], budget["spent_nano_usd"], budget["held_nano_usd"]
    used = (spent + held) / limit if limit else 1.0
    meaning = "bad" if used >= _FULL else "warn" if used >= _SOON else "ok"
    parts = budget_parts(budget["id"])
    name = f"{parts[0] if parts else budget['subject']}/{budget['name']}"
    return (
        name, dollars(spent), dollars(held), budget["limit"], Cell(f"{bar(used)} {_percent(used):>4}", meaning),
        ago(budget["resets_at"]), budget["policy"], budget["state"],
    )  # fmt: skip


def _percent(share: float) -> str:
    """Whole percent, never 100 % for what has something left."""
    whole = int(share * 100)
    return f"{whole}%" if whole < 1000 else ">999%"
