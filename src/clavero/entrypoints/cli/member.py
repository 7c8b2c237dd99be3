"""`clavero member`: people and machines that own keys."""

from typing import Any, Literal

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.lists import names
from clavero.entrypoints.cli.options import COMMON, Common, changes, listed, state_cell
from clavero.entrypoints.cli.show import facts
from clavero.entrypoints.cli.when import shown

Names = tuple[str, ...]
Kind = Literal["person", "machine"]


def list_(*, common: Common = COMMON) -> int:
    """List every member, and how many keys are theirs.

    Example: clavero member list
    """
    answer = common.api().get("/members")
    if common.json:
        return common.answer(answer)
    rows = [
        (one["name"], state_cell(one["state"]), one["kind"], f"{one['keys']:,}", listed(one["teams"], "-"),
         one["email"] or "-")
        for one in answer["members"]
    ]  # fmt: skip
    return common.table("NAME STATE KIND KEYS TEAMS EMAIL", rows, "clavero member add NAME")


def add(
    name: str,
    /,
    *,
    email: str = "",
    kind: Kind = "person",
    team: Names = (),
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Add somebody who can own keys.

    Example: clavero member add asha --email asha@example.com --team support

    Parameters
    ----------
    name
        What people call them; keys and the audit trail carry it.
    email
        Where they are reached.
    kind
        A person, or a machine that stands for a service.
    team
        Teams they belong to, with commas between.
    reason
        Why; kept in the audit trail.
    """
    made = common.api().post("/members", name=name, email=email, kind=kind, teams=names(team), reason=reason)
    common.note("added", name=made["name"])
    return common.answer(made) if common.json else 0


def show(name: str, /, *, common: Common = COMMON) -> int:
    """Show one member.

    Example: clavero member show asha

    Parameters
    ----------
    name
        Its name.
    """
    member = common.api().get(path_of("members", name))
    if common.json:
        return common.answer(member)
    screen = common.screen()
    for line in facts(described(member)):
        screen.line(line)
    return 0


def update(
    name: str,
    /,
    *,
    email: str | None = None,
    kind: Kind | None = None,
    team: Names | None = None,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Change where a member is reached, what it is, and its teams.

    Example: clavero member update asha --email asha@example.com --team support,search

    Parameters
    ----------
    name
        Its name.
    email
        Where they are reached from now on.
    kind
        A person, or a machine that stands for a service.
    team
        Teams they belong to from now on, with commas between.
    reason
        Why; kept in the audit trail.
    """
    sent = changes(email=email, kind=kind, teams=names(team) if team else None, reason=reason)
    member = common.api().patch(path_of("members", name), **sent)
    common.note("updated", name=member["name"])
    return common.answer(member) if common.json else 0


def remove(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Remove a member who owns no key that could still work.

    Example: clavero member remove asha

    Parameters
    ----------
    name
        Its name.
    reason
        Why; kept in the audit trail.
    """
    member = common.api().delete(path_of("members", name), reason=reason)
    common.note("removed", name=member["name"])
    return common.answer(member) if common.json else 0


def described(member: dict[str, Any]) -> dict[str, str]:
    """A member in a few lines of name and text."""
    return {
        "Name": member["name"],
        "State": f"{member['state']} · {member['kind']}",
        "Keys": f"{member['keys']:,}",
        "Teams": ", ".join(member["teams"]),
        "E-mail": member["email"],
        "Since": shown(member["created_at"]),
    }
