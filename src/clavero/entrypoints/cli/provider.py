"""`clavero provider`: who answers calls."""

from typing import Any, Literal

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.confirm import confirm
from clavero.entrypoints.cli.lists import names
from clavero.entrypoints.cli.options import COMMON, Common, changes, listed, state_cell
from clavero.entrypoints.cli.show import Row, facts
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown

Names = tuple[str, ...]
Kind = Literal["openai", "openai_like", "anthropic", "simulated"]
Network = Literal["public", "private", "loopback"]


def add(  # noqa: PLR0913 - one parameter for each flag
    name: str,
    /,
    *,
    kind: Kind,
    base_url: str,
    network: Network = "public",
    models: Names = (),
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Add a provider; calls go there once it has a credential.

    Example: clavero provider add openai --kind openai --base-url https://api.openai.com --models 'gpt-*'

    Parameters
    ----------
    name
        What it is called here.
    kind
        Which API it speaks.
    base_url
        Its address, up to before /v1.
    network
        Where it may live; link-local addresses are refused always.
    models
        Models that it serves, with commas between; a pattern may end in *.
    reason
        Why; kept in the audit trail.
    """
    api = common.api()
    made = api.post(
        "/providers", name=name, kind=kind, base_url=base_url, network=network, models=names(models), reason=reason
    )
    common.note("added", name=made["name"])
    common.tell(f"  clavero credential add {made['name']} --from env:NAME")
    return common.answer(made) if common.json else 0


def list_(*, common: Common = COMMON) -> int:
    """List providers and how many credentials each has in use.

    Example: clavero provider list
    """
    answer = common.api().get("/providers")
    if common.json:
        return common.answer(answer)
    rows = [_row(one) for one in answer["providers"]]
    otherwise = "clavero provider add NAME --kind openai --base-url URL"
    return common.table("NAME STATE KIND KEYS MODELS URL", rows, otherwise)


def show(name: str, /, *, common: Common = COMMON) -> int:
    """Show one provider and its credentials in use.

    Example: clavero provider show openai

    Parameters
    ----------
    name
        What it is called here.
    """
    provider = common.api().get(path_of("providers", name))
    if common.json:
        return common.answer(provider)
    told = {
        "State": _state(provider), "Kind": provider["kind"], "URL": f"{provider['base_url']} ({provider['network']})",
        "Models": listed(provider["models"]), "Since": shown(provider["created_at"]),
        **{f"Key {one['id']}": f"version {one['version']}, …{one['last_four']}" for one in provider["credentials"]},
    }  # fmt: skip
    screen = common.screen()
    for line in facts(told):
        screen.line(line)
    return 0


def update(  # noqa: PLR0913 - one parameter for each flag
    name: str,
    /,
    *,
    kind: Kind | None = None,
    base_url: str | None = None,
    network: Network | None = None,
    models: Names = (),
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Change a provider; another address retires its credentials, which were sealed for the former one.

    Example: clavero provider update openai --models 'gpt-*,o4-*'

    Parameters
    ----------
    name
        What it is called here.
    kind
        Which API it speaks.
    base_url
        Its address, up to before /v1.
    network
        Where it may live.
    models
        Every model that it serves from now on.
    reason
        Why; kept in the audit trail.
    """
    edit = changes(kind=kind, base_url=base_url, network=network, models=names(models), reason=reason)
    changed = common.api().patch(path_of("providers", name), **edit)
    common.note("updated", name=changed["name"])
    if changed["retired"]:
        common.note("seals_retired", n=len(changed["retired"]))
        common.tell(f"  clavero credential add {changed['name']} --from env:NAME")
    return common.answer(changed) if common.json else 0


def remove(name: str, /, *, yes: bool = False, reason: str = "", common: Common = COMMON) -> int:
    """Remove a provider and its credentials; refused while a model leads to it.

    Example: clavero provider remove old-provider

    Parameters
    ----------
    name
        What it is called here; it has to be typed again.
    yes
        Do not ask.
    reason
        Why; kept in the audit trail.
    """
    confirm(name, yes=yes)
    return _told(common, common.api().delete(path_of("providers", name), reason=reason), "removed")


def enable(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Let calls go to a provider again.

    Example: clavero provider enable openai

    Parameters
    ----------
    name
        What it is called here.
    reason
        Why; kept in the audit trail.
    """
    return _told(common, common.api().post(path_of("providers", name, "enable"), reason=reason), "enabled")


def disable(name: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Let no call go to a provider.

    Example: clavero provider disable openai --reason outage

    Parameters
    ----------
    name
        What it is called here.
    reason
        Why; kept in the audit trail.
    """
    return _told(common, common.api().post(path_of("providers", name, "disable"), reason=reason), "disabled")


def _state(provider: dict[str, Any]) -> str:
    return "enabled" if provider["enabled"] else "disabled"


def _row(provider: dict[str, Any]) -> Row:
    return (
        provider["name"], state_cell(_state(provider)), provider["kind"], str(len(provider["credentials"])),
        listed(provider["models"]), provider["base_url"],
    )  # fmt: skip


def _told(common: Common, provider: dict[str, Any], how: str) -> int:
    common.tell(speak(how, name=provider["name"]))
    return common.answer(provider) if common.json else 0
