"""`clavero init`: a service with two keys in each environment, one that people wait for and one that works by itself.

Two, so that a background job that runs away, or a key that leaks from it, takes nothing from the people in front. What
is there already stays as it is: told twice, it makes what is missing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclopts import Parameter

from clavero.domain.secret import Secret
from clavero.entrypoints.cli.budget import check_limit
from clavero.entrypoints.cli.client import Api
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.lists import names
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import Row
from clavero.entrypoints.cli.sources import probe_env, write_env
from clavero.entrypoints.cli.speech import speak

Names = tuple[str, ...]

_ENVIRONMENTS = ("dev", "staging", "prod")
_FRONT, _BACK = "chat", "jobs"
_ALL = "*\n"  # what git does not take from the folder of keys


@Parameter(name="*", group="Parameters")
@dataclass(frozen=True)
class Template:
    """What every key of the service is to be."""

    owner: str
    "Who answers for the keys."
    env: Names = _ENVIRONMENTS
    "Environments, with commas between."
    team: str = ""
    "The team that pays, where the service is new."
    project: str = ""
    "The project it belongs to, where the service is new."
    models: Names = ()
    "Models the keys may use, with commas between. None named is every one."
    limit: Names = ()
    "A budget for each key: '$10/day', or by environment: 'prod=$50/day,dev=$1/day'."


def init(
    service: str, /, *, template: Template, out: Path | None = None, reason: str = "", common: Common = COMMON
) -> int:
    """Make two keys for a service in each environment: one for people who wait, one for work in the background.

    Example: clavero init support-copilot --owner asha --env dev,staging,prod --limit 'prod=$50/day,dev=$1/day'

    Parameters
    ----------
    service
        The name of the service; it stands in the keys.
    out
        A folder for the keys, one env file each, readable by you alone (./SERVICE.keys).
    reason
        Why; kept in the audit trail.
    """
    wanted = [
        (environment, purpose, f"{environment}-{service}-{purpose}-01")
        for environment in names(template.env)
        for purpose in (_FRONT, _BACK)
    ]
    limits = _limits(names(template.limit), names(template.env))
    api = common.api()
    known = {key["name"]: key for key in api.get("/keys")["keys"]}
    folder = out or Path(f"{service}.keys")
    made: list[Row] = []
    for environment, purpose, name in wanted:
        if name in known:
            made.append((name, speak("init_kept"), ""))
            continue
        file = folder / f"{environment}-{purpose}.env"
        _prepare(folder, file)
        body = {
            "name": name, "owner": template.owner, "service": service, "team": template.team,
            "project": template.project, "models": names(template.models), "limit": limits.get(environment, ""),
            "reason": reason or f"clavero init {service}",
        }  # fmt: skip
        known[name] = _made(api, body, file)
        made.append((name, speak("init_made"), str(file)))
    if common.json:
        return common.answer({"keys": [known[name] for _, _, name in wanted], "folder": str(folder)})
    return common.table("NAME STATE FILE", made, "clavero key list")


def _made(api: Api, body: dict[str, Any], file: Path) -> dict[str, Any]:
    """One key more; its secret goes into its file and nowhere else."""
    answer = api.post("/keys", **body)
    key: dict[str, Any] = answer["key"]
    try:
        write_env(file, Secret(answer["secret"]), api.place.gateway)
    except Failure as failure:  # the key is made, its secret was told once and could not be kept
        fix = f"clavero key rotate {key['name']} --grace 0 --env-file FILE"
        raise Failure(failure.code, failure.message, fix) from None
    return key


def _prepare(folder: Path, file: Path) -> None:
    """A folder that its owner alone reads and git never takes; fails before a key is made where there can be none."""
    if not folder.exists() and folder.parent.is_dir():
        folder.mkdir(mode=0o700)
        (folder / ".gitignore").write_text(_ALL)
    probe_env(file)


def _limits(told: Names, environments: Names) -> dict[str, str]:
    """The limit of each environment's keys; a usage error for one that is none, or of no environment here."""
    limits: dict[str, str] = {}
    for one in told:
        environment, sign, limit = one.rpartition("=")
        check_limit(limit)
        if sign and environment not in environments:
            raise usage(speak("init_no_env", name=environment), f"--env {environment}", "bad_value")
        limits.update(dict.fromkeys([environment] if sign else environments, limit))
    return limits
