"""A key as the command line tells it: its state, its scope, who answers for it and for its service."""

from typing import Any

from clavero.entrypoints.cli.options import ago, dollars, listed
from clavero.entrypoints.cli.show import Cell
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown


def described(key: dict[str, Any]) -> dict[str, str]:
    """A key in a few lines of name and text."""
    newest = key["versions"][0] if key["versions"] else {"number": 0, "last_four": ""}
    used = speak("used", when=ago(key["last_used_at"])) if key["last_used_at"] else speak("never_used")
    state = [key["state"], f"version {newest['number']}, …{newest['last_four']}", f"owner {key['owner']}", used]
    limits = [f"{one['limit']} ({dollars(one['spent_nano_usd'])})" for one in key["budgets"]]
    scope = [
        listed(key["models"], speak("every_model")), listed(key["endpoints"], speak("every_endpoint")), *limits,
    ]  # fmt: skip
    ends = speak("until", moment=shown(key["expires_at"]), when=ago(key["expires_at"])) if key["expires_at"] else ""
    due = shown(key["transfer_due_at"])
    place = [key["team"], key["project"], key["service"], key["environment"]]
    return {
        "ID": key["kid"],
        "State": " · ".join(state),
        "Owner": due and speak("owner_gone", name=key["name"], owner=key["owner"], moment=due),
        "Scope": " · ".join(scope),
        "Ends": ends or speak("never_expires"),
        "Place": " / ".join(part for part in place if part),
        "On call": key["on_call"],
        "Repository": key["repository"],
        "Purpose": key["purpose"],
        "Features": listed(key["features"], ""),
        "Reason": key["reason"],
        **{f"v{one['number']}": f"…{one['last_four']} · {_works(one)}" for one in key["versions"][1:]},
    }


def owner_cell(key: dict[str, Any]) -> Cell | str:
    """Who answers for a key; in the colour of what has to be done soon where they have left."""
    return Cell(f"{key['owner']} (left)", "warn") if key["transfer_due_at"] else str(key["owner"])


def _works(version: dict[str, Any]) -> str:
    return f"{'works until' if version['works'] else 'ended'} {shown(version['ends_at'])}"
