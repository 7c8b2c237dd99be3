"""`clavero key`: virtual keys from creation to retirement."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclopts import Parameter

from clavero.domain.secret import Secret
from clavero.entrypoints.cli.budget import check_limit
from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.confirm import confirm
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.key_facts import described, owner_cell
from clavero.entrypoints.cli.lists import names
from clavero.entrypoints.cli.options import COMMON, Common, ago, changes, dollars, state_cell
from clavero.entrypoints.cli.show import Row, facts
from clavero.entrypoints.cli.sources import probe_env, write_env
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown

Names = tuple[str, ...]


@Parameter(name="*", group="Parameters")
@dataclass(frozen=True)
class Wanted:
    """What a new key is to be; what is left out follows from its name, or is as wide as it can be."""

    owner: str
    "Who answers for it."
    service: str = ""
    "The service it is for, where the name does not say it."
    team: str = ""
    "The team of a service that is new."
    project: str = ""
    "The project of a service that is new."
    models: Names = ()
    "Models it may use, with commas between; a pattern may end in *. None named is every one."
    endpoint: Names = ()
    "chat, responses, messages, embeddings, models, count_tokens. None named is every one."
    feature: Names = ()
    "Features that it declares."
    expires: str = ""
    "When it ends, from now: 30d, 24h."
    limit: str = ""
    "A budget of its own: '$10/day', '$100/month', '$5'."
    output_tokens: int | None = None
    "Output tokens that are held where a call names no maximum (4096)."


@Parameter(name="*", group="Parameters")
@dataclass(frozen=True)
class Edit:
    """What changes of a key."""

    owner: str | None = None
    "Who answers for it from now on."
    expires: str | None = None
    "When it ends, from now; never takes the end away."
    output_tokens: int | None = None
    "Output tokens that are held where a call names no maximum."
    add_model: Names = ()
    "Models that it may use as well."
    remove_model: Names = ()
    "Models that it may use no longer."
    add_endpoint: Names = ()
    "Endpoints that it may call as well."
    remove_endpoint: Names = ()
    "Endpoints that it may call no longer."
    add_feature: Names = ()
    "Features that it declares as well."
    remove_feature: Names = ()
    "Features that it declares no longer."


_NO_EDIT = Edit()


def create(
    name: str,
    /,
    *,
    wanted: Wanted,
    env_file: Path | None = None,
    override: bool = False,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Make a key; it is shown once.

    Example: clavero key create prod-mail-01 --owner asha --models gpt-4o-mini --limit '$10/day' --env-file .env

    Parameters
    ----------
    name
        <env>-<service>[-<purpose>]-<nn>.
    env_file
        Write the key there, readable by you alone, and show it nowhere.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    if wanted.limit:
        check_limit(wanted.limit)
    if env_file is not None:
        probe_env(env_file)
    api = common.api()
    answer = api.post(
        "/keys", name=name, owner=wanted.owner, service=wanted.service, team=wanted.team, project=wanted.project,
        models=names(wanted.models), endpoints=names(wanted.endpoint), features=names(wanted.feature),
        expires_in=wanted.expires, limit=wanted.limit, default_output_tokens=wanted.output_tokens,
        override=override or None, reason=reason,
    )  # fmt: skip
    common.note("created", kid=answer["key"]["kid"])
    return _hand_out(common, answer, env_file, api.place.gateway, speak("shown_once"))


def list_(
    *, state: str = "", owner: str = "", service: str = "", under_transfer: bool = False, common: Common = COMMON
) -> int:
    """List keys, where each stands, what it spent and when it ends.

    Example: clavero key list --state active --owner asha

    Parameters
    ----------
    state
        pending, active, rotating, disabled, revoked or retired alone.
    owner
        Keys of this owner alone.
    service
        Keys of this service alone.
    under_transfer
        Keys whose owner has left alone.
    """
    asked = "true" if under_transfer else ""
    answer = common.api().get("/keys", state=state, owner=owner, service=service, under_transfer=asked)
    if common.json:
        return common.answer(answer)
    rows = [_row(key) for key in answer["keys"]]
    return common.table("NAME STATE SPENT LIMIT EXPIRES ID OWNER USED", rows, "clavero key create NAME --owner OWNER")


def show(name: str, /, *, common: Common = COMMON) -> int:
    """Show one key: its state, its scope, its budgets, its versions.

    Example: clavero key show prod-mail-01

    Parameters
    ----------
    name
        Its name or public id.
    """
    key = common.api().get(path_of("keys", name))
    if common.json:
        return common.answer(key)
    screen = common.screen()
    for line in facts(described(key)):
        screen.line(line)
    return 0


def rotate(
    name: str,
    /,
    *,
    grace: str = "24h",
    env_file: Path | None = None,
    override: bool = False,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Give a key a new secret; the former one works for the grace.

    Example: clavero key rotate prod-mail-01 --grace 24h --env-file .env

    Parameters
    ----------
    name
        Its name or public id.
    grace
        How long the former version still works; 0 ends it at once.
    env_file
        Write the new secret there, readable by you alone, and show it nowhere.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    if env_file is not None:
        probe_env(env_file)
    api = common.api()
    answer = api.post(path_of("keys", name, "rotate"), grace=grace, override=override or None, reason=reason)
    return _hand_out(common, answer, env_file, api.place.gateway, _rotated(answer["key"]["versions"]))


def disable(name: str, /, *, override: bool = False, reason: str = "", common: Common = COMMON) -> int:
    """Refuse a key until it is enabled again.

    Example: clavero key disable prod-mail-01 --reason "under review"

    Parameters
    ----------
    name
        Its name or public id.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    return _move(common, name, "disable", reason, override=override)


def enable(name: str, /, *, override: bool = False, reason: str = "", common: Common = COMMON) -> int:
    """Let a disabled key work again.

    Example: clavero key enable prod-mail-01

    Parameters
    ----------
    name
        Its name or public id.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    return _move(common, name, "enable", reason, override=override)


def revoke(name: str, /, *, yes: bool = False, reason: str = "",
           common: Common = COMMON) -> int:  # fmt: skip
    """End a key for ever, on every worker within a second.

    Example: clavero key revoke prod-mail-01 --reason leak

    Parameters
    ----------
    name
        Its name or public id; it has to be typed again.
    yes
        Do not ask.
    reason
        Why; kept in the audit trail.
    """
    confirm(name, yes=yes)
    return _move(common, name, "revoke", reason)


def retire(name: str, /, *, override: bool = False, reason: str = "", common: Common = COMMON) -> int:
    """Put a revoked key away; its records stay.

    Example: clavero key retire prod-mail-01

    Parameters
    ----------
    name
        Its name or public id.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    return _move(common, name, "retire", reason, override=override)


def update(
    name: str, /, *, edit: Edit = _NO_EDIT, override: bool = False, reason: str = "", common: Common = COMMON
) -> int:
    """Change what a key may do, whose it is, or when it ends.

    Example: clavero key update prod-mail-01 --add-model gpt-4o --expires 90d

    Parameters
    ----------
    name
        Its name or public id.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    sent = changes(
        owner=edit.owner, expires_in=edit.expires, default_output_tokens=edit.output_tokens, reason=reason,
        add_models=names(edit.add_model), remove_models=names(edit.remove_model),
        add_endpoints=names(edit.add_endpoint), remove_endpoints=names(edit.remove_endpoint),
        add_features=names(edit.add_feature), remove_features=names(edit.remove_feature),
    )  # fmt: skip
    key = common.api().patch(path_of("keys", name), override=override or None, **sent)
    common.note("updated", name=key["name"])
    return common.answer(key) if common.json else 0


def transfer(name: str, /, *, to: str, override: bool = False, reason: str = "", common: Common = COMMON) -> int:
    """Give a key to another owner, who answers for it from now on.

    Example: clavero key transfer prod-mail-01 --to bela

    Parameters
    ----------
    name
        Its name or public id.
    to
        The member whose it is to be.
    override
        Do it though the environment is frozen; wants a reason.
    reason
        Why; kept in the audit trail.
    """
    key = common.api().post(path_of("keys", name, "transfer"), to=to, override=override or None, reason=reason)
    common.note("transferred", n=1, to=key["owner"])
    return common.answer(key) if common.json else 0


def _row(key: dict[str, Any]) -> Row:
    budget = key["budgets"][0] if key["budgets"] else None
    return (
        key["name"], state_cell(key["state"]), dollars(budget["spent_nano_usd"]) if budget else "-",
        budget["limit"] if budget else "-", ago(key["expires_at"]), key["kid"], owner_cell(key),
        ago(key["last_used_at"]),
    )  # fmt: skip


def _rotated(versions: list[dict[str, Any]]) -> str:
    newest, former = versions[0], versions[1]
    until = (
        speak("old_until", n=former["number"], moment=shown(former["ends_at"]))
        if former["works"]
        else speak("old_ended", n=former["number"])
    )
    return speak("version_once", n=newest["number"], until=until)


def _hand_out(common: Common, answer: dict[str, Any], env_file: Path | None, gateway: str, title: str) -> int:
    """Where the secret goes: into a file, or once onto stdout."""
    if env_file is not None:
        try:
            write_env(env_file, Secret(answer["secret"]), gateway)
        except Failure as failure:  # the key is made, its secret was told once and could not be kept
            fix = f"clavero key rotate {answer['key']['name']} --grace 0 --env-file FILE"
            raise Failure(failure.code, failure.message, fix) from None
        common.note("written", file=env_file)
        return common.answer({"key": answer["key"]}) if common.json else 0
    if common.json:
        return common.answer(answer)
    common.tell(title)
    screen = common.screen()
    screen.line(answer["secret"] if common.quiet or screen.width is None else f"  {answer['secret']}")
    return 0


def _move(common: Common, name: str, verb: str, reason: str, *, override: bool = False) -> int:
    key = common.api().post(path_of("keys", name, verb), override=override or None, reason=reason)
    common.note(f"done.{verb}")
    return common.answer(key) if common.json else 0
