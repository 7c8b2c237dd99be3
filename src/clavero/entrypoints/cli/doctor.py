"""`clavero doctor`: whether everything is as it should be; what is on disk, where nothing runs."""

import ssl
from contextlib import closing
from pathlib import Path
from typing import Any

from clavero.bootstrap.cli import clock
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.certificates import SOON_DAYS
from clavero.entrypoints.cli.checks import Check, clock_check, disk_check, foreign_startup, modes_check
from clavero.entrypoints.cli.client import Api, Place, Trust, connect, told
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.place import data_of, place_of, read_token, settings_of
from clavero.entrypoints.cli.show import Cell, sign
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown
from clavero.entrypoints.exposure import pair_of
from clavero.settings import read

_SECONDS = 5.0
_OLD_MS = 5_000  # a worker that was not heard of for so long, records that wait for so long
_LAG_MS = 10_000


def doctor(*, ready: bool = False, common: Common = COMMON) -> int:
    """Look at gateway, control plane, workers, ingest, providers, disk, clock, modes of files, installed packages.

    Exit 1 where something failed; warnings alone end with 0.

    Example: clavero doctor

    Parameters
    ----------
    ready
        Ask nothing but whether the gateway takes calls, as a container's health check does; exit 0 or 1.
    """
    if ready:
        return _ready(common)
    checks = [*_of_disk(data_of(common.data_dir)), *_of_database(common.data_dir), *_of_service(common)]
    counts = {meaning: sum(one.meaning == meaning for one in checks) for meaning in ("ok", "warn", "bad")}
    ending = Exit.FAILED if counts["bad"] else Exit.DONE
    if common.json:
        said = [{"check": one.name, "state": one.meaning, "text": one.text, "fix": one.fix} for one in checks]
        common.answer({"checks": said, **counts})
        return ending
    screen = common.screen()
    room = max(len(one.name) for one in checks)
    for one in checks:
        fix = [Cell(f"  {one.fix}", "paste")] if one.fix else []
        screen.line(sign(one.meaning), f" {one.name:{room}}  {one.text}", *fix)
    screen.line(speak("summary", **counts))
    return ending


def _ready(common: Common) -> int:
    """What /health/ready says, in one line; `Failure` where nobody answers."""
    place = place_of(common.url, common.data_dir)
    with told(place.gateway, _SECONDS), closing(connect(place.gateway, _SECONDS, place.trust)) as connection:
        connection.request("GET", "/health/ready")
        status = connection.getresponse().status
    if common.json:
        common.answer({"ready": status == 200, "status": status})
    else:
        common.screen().line(sign("ok" if status == 200 else "bad"), f" {place.gateway}/health/ready  {status}")
    return Exit.DONE if status == 200 else Exit.FAILED


def _of_disk(data: Path) -> list[Check]:
    return [disk_check(data), *modes_check(data), foreign_startup()]


def _of_database(data_dir: Path | None) -> list[Check]:
    """The schema, and how old the newest backup is; a database that is not made yet is no finding."""
    from clavero.bootstrap.checkup import at_a_glance

    try:
        found = at_a_glance(settings_of(data_dir))
    except StartFailure as failure:
        return [] if failure.code == "database_missing" else [Check("schema", "bad", failure.message, failure.fix)]
    return [Check(one.name, one.state, one.text, one.fix) for one in found]


def _of_service(common: Common) -> list[Check]:
    """What the running clavero says; one warning where none runs."""
    try:
        place = place_of(common.url, common.data_dir)
        date = _date_of(place)
    except Failure as failure:
        away = Check("control", "warn", f"{failure.message}; {speak('partial')}", failure.fix)
        return [away, *files_checks(common.data_dir)]
    control = Check("control", "ok", place.url)
    try:
        api = Api(place, read_token(place.token_file), _SECONDS)
        status = api.get("/status")
        providers = api.get("/providers")["providers"]
        vault, drift = api.get("/vault"), api.get("/drift")
    except Failure as failure:
        return [control, Check("token", "bad", failure.message, failure.fix)]
    gateway = place.gateway or str(status.get("gateway_url", ""))
    trust = place.trust if place.gateway else Trust(place.trust.ca_file)
    return [
        control, _gateway(gateway, trust), *tls_checks(status),
        *workers_checks(status), *ingest_checks(status), *providers_checks(providers),
        owners_check(status), tiers_check(drift), vault_check(vault), clock_check(date, clock().wall_ns()),
    ]  # fmt: skip


def files_checks(data_dir: Path | None) -> list[Check]:
    """Whether the next start will find a certificate that it can serve, as far as file and variables name one."""
    try:
        pair = pair_of(read({"storage.data_dir": str(data_dir) if data_dir else None})[0])
    except StartFailure as failure:
        return [Check("tls", "bad", failure.message, failure.fix)]
    if pair is None:
        return []
    now_ns = clock().wall_ns()
    days, wrong = pair.days_left(now_ns), pair.wrong(now_ns)
    text = wrong or speak("certificate", names=", ".join(pair.names), days=f"{days:.0f}")
    return [Check("tls", "warn" if wrong or days < SOON_DAYS else "ok", text)]


def tls_checks(status: dict[str, Any]) -> list[Check]:
    """How long the certificate of the listeners lasts, and whether the last reload took; nothing without TLS."""
    tls = status.get("tls")
    if not tls:
        return []
    days, problem = tls["days_left"], tls["problem"]
    meaning = "bad" if days <= 0 else "warn" if days < SOON_DAYS else "ok"
    text = speak("certificate", names=", ".join(tls["names"]), days=f"{days:.0f}")
    found = [Check("tls", meaning, text, "" if meaning == "ok" else speak("certificate_fix", pid=tls["supervisor"]))]
    if problem:
        found.append(Check("tls", "warn", speak("not_reloaded", problem=problem), f"kill -HUP {tls['supervisor']}"))
    return found


def workers_checks(status: dict[str, Any]) -> list[Check]:
    """Whether a worker runs, and when each was heard of."""
    live = [one for one in status["workers"] if one["state"] == "live"]
    if not live:
        return [Check("workers", "bad", speak("no_worker"), "clavero up")]
    return [_worker(one) for one in live]


def ingest_checks(status: dict[str, Any]) -> list[Check]:
    """Whether records come in, and none was refused."""
    lag, rejects = status["ingest_lag_ms"], status["rejects"]
    late = lag is not None and lag > _LAG_MS
    text = speak("no_lag") if lag is None else speak("lag", lag=f"{lag:,} ms")
    found = [Check("ingest", "warn" if late else "ok", text)]
    if rejects:
        found.append(Check("rejects", "bad", speak("rejects", n=f"{rejects:,}"), "clavero audit verify"))
    return found


def owners_check(status: dict[str, Any]) -> Check:
    """Whether every key has an owner who is here, and none waits for another one for too long."""
    keys, late = status["keys_under_transfer"], status["keys_overdue"]
    fix = "clavero key list --under-transfer"
    if late:
        return Check("owners", "bad", speak("orphans_late", n=f"{keys:,}", late=f"{late:,}"), fix)
    if keys:
        due = shown(status["transfer_due_at"])
        return Check("owners", "warn", speak("orphans", n=f"{keys:,}", moment=due), fix)
    return Check("owners", "ok", speak("orphans_none"))


def tiers_check(drift: dict[str, Any]) -> Check:
    """Whether every key meets what the tier of its environment demands."""
    if drift["total"]:
        return Check("tiers", "warn", speak("drift_some", n=f"{drift['total']:,}"), "clavero env drift")
    return Check("tiers", "ok", speak("drift_none"))


def vault_check(vault: dict[str, Any]) -> Check:
    """Whether the vault opens, and a move to new keys goes on."""
    if vault["check"] != "ok":
        return Check("vault", "bad", vault["check"], "clavero vault status")
    if vault["stuck"]:
        return Check("vault", "warn", speak("rekey_stuck", why=vault["stuck"]), "clavero vault status")
    since = shown(vault["root_key_since"])
    return Check("vault", "ok", f"{speak('vault_root', name=vault['root_key'], since=since)} ({vault['seal']})")


def providers_checks(providers: list[dict[str, Any]]) -> list[Check]:
    """Whether each provider in use has a credential."""
    if not providers:
        return [Check("provider", "warn", speak("no_provider"), "clavero provider add NAME --kind KIND --base-url URL")]
    return [_provider(one) for one in providers if one["enabled"]]


def _worker(worker: dict[str, Any]) -> Check:
    age = worker["heartbeat_age_ms"]
    meaning = "ok" if age <= _OLD_MS else "bad"
    return Check(worker["worker"], meaning, speak("heard", age=f"{age:,} ms"), "" if meaning == "ok" else "clavero up")


def _provider(provider: dict[str, Any]) -> Check:
    name = provider["name"]
    if provider["credentials"]:
        return Check("provider", "ok", speak("has_credential", name=name, tail=provider["credentials"][0]["last_four"]))
    return Check(
        "provider", "bad", speak("lacks_credential", name=name), f"clavero credential add {name} --from env:NAME"
    )


def _gateway(url: str, trust: Trust) -> Check:
    """Whether the gateway knows a stranger: the dearest question that needs no key."""
    if not url:
        return Check("gateway", "warn", speak("no_gateway"), "--data-dir DIR")
    try:
        status, code = _stranger(url, trust)
    except ssl.SSLCertVerificationError as error:
        text = speak("untrusted", url=url, why=error.verify_message)
        return Check("gateway", "warn", text, "CLAVERO_CA_FILE=FILE")
    except (OSError, ValueError):
        return Check("gateway", "bad", speak("nobody_at", url=url), "clavero up")
    if status == 401 and code == "missing_api_key":
        return Check("gateway", "ok", url)
    return Check("gateway", "bad", speak("not_clavero", url=url, status=status), speak("check_url"))


def _stranger(url: str, trust: Trust) -> tuple[int, str]:
    import http.client
    import json

    connection = connect(url, _SECONDS, trust)
    try:
        connection.request("GET", "/v1/models")
        answer = connection.getresponse()
        body = json.loads(answer.read(100_000))
    except http.client.HTTPException:
        raise ValueError(url) from None
    finally:
        connection.close()
    error = body.get("error") if isinstance(body, dict) else None
    return answer.status, str(error.get("code", "")) if isinstance(error, dict) else ""


def _date_of(place: Place) -> str:
    """The Date header of the control plane; `Failure` where it does not answer."""
    import http.client

    connection = connect(place.url, _SECONDS, place.trust)
    try:
        connection.request("GET", "/api/v1/status")
        answer = connection.getresponse()
        answer.read()
        return answer.getheader("date", "")
    except ssl.SSLCertVerificationError as error:
        text = speak("untrusted", url=place.url, why=error.verify_message)
        raise Failure("untrusted", text, "CLAVERO_CA_FILE=FILE") from None
    except (OSError, http.client.HTTPException):
        raise Failure("not_running", speak("nobody_at", url=place.url), "clavero up") from None
    finally:
        connection.close()
