"""`clavero member`: people and machines that own keys."""

import shlex
from typing import Any, Literal

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.lists import names
from clavero.entrypoints.cli.options import COMMON, Common, changes, listed, state_cell
from clavero.entrypoints.cli.show import facts
from clavero.entrypoints.cli.speech import speak
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


def leave(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Say that somebody has left; their keys go on working, and are to have another owner.

    Example: clavero member leave asha --reason "changed teams"

    Parameters
    ----------
    name
        Its name.
    reason
        Why; kept in the audit trail.
    """
    member = common.api().post(path_of("members", name, "leave"), reason=reason)
    if common.json:
        return common.answer(member)
    if member["keys"]:
        common.note("left_keys", name=name, n=f"{member['keys']:,}", moment=shown(member["transfer_due_at"]))
        common.tell(f"  clavero member transfer {shlex.quote(name)} --to MEMBER")
    else:
        common.note("left", name=name)
    return 0


def rejoin(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Say that somebody who left is back, and answers again for the keys that are still theirs.

    Example: clavero member rejoin asha

    Parameters
    ----------
    name
        Its name.
    reason
        Why; kept in the audit trail.
    """
    member = common.api().post(path_of("members", name, "rejoin"), reason=reason)
    common.note("updated", name=member["name"])
    return common.answer(member) if common.json else 0


def transfer(name: str, /, *, to: str, override: bool = False, reason: str = "", common: Common = COMMON) -> int:
    """Give all keys of one member to another.

    Example: clavero member transfer asha --to bela

    Parameters
    ----------
    name
        Whose they are.
    to
        Whose they are to be.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    done = common.api().post(path_of("members", name, "transfer"), to=to, override=override or None, reason=reason)
    common.note("transferred", n=f"{len(done['keys']):,}", to=done["to"])
    return common.answer(done) if common.json else 0


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
        "Left": shown(member["left_at"]),
        "Transfer": speak("transfer_due", moment=shown(member["transfer_due_at"])) if member["left_at"] else "",
    }
