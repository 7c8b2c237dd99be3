"""How it goes: workers and ingest, the settings, what a code means, and a link to sign in with."""

import os
from typing import Annotated, Any

from fastapi import Depends, status

from clavero.control import signin
from clavero.control.custody import waiting
from clavero.domain import catalogue
from clavero.domain.catalogue import Language
from clavero.domain.refusals import NotFound
from clavero.domain.secret import mask
from clavero.entrypoints.certificates import Served
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Moment, Once, View, moment

routes = router("status")


class WorkerView(View):
    """One gateway worker. What it says of itself comes once a second; null before the first time."""

    worker: str
    boot: str
    state: str
    heartbeat_age_ms: int
    applied_seq: int | None
    in_flight: int | None
    waiting: int | None
    streams: int | None
    loop_lag_us: int | None


class TlsView(View):
    """The certificate of both listeners. `problem` is why the last reload kept the old one, "" where it did not."""

    names: list[str]
    days_left: float
    problem: str
    supervisor: int


class StatusView(View):
    """`ingest_lag_ms` is how old the newest record was when it was posted; `seq` the newest change.

    `tls` is null where the listeners speak without it. `keys_under_transfer` are keys whose owner has left; the first
    of them is to have another one by `transfer_due_at`, and for `keys_overdue` that has passed.
    """

    version: str
    gateway_url: str
    console_url: str
    tls: TlsView | None
    workers: list[WorkerView]
    ingest_lag_ms: int | None
    rejects: int
    open_holds: int
    seq: int
    keys_under_transfer: int
    keys_overdue: int
    transfer_due_at: Moment


class LinkView(View):
    """A link to the console: once, within 15 minutes."""

    link: str


class SettingView(View):
    """One setting and where its value came from."""

    name: str
    value: str | int | float | bool | None
    source: str
    description: str


class SettingsView(View):
    """Everything that this process was told at its start."""

    settings: list[SettingView]


class CodeView(View):
    """What a code means, its usual cause, and its remedy."""

    code: str
    language: Language
    fact: str
    cause: str
    fix: str


@routes.get("/status")
async def show_status(caller: Annotated[Caller, Depends(Needs("status.read"))]) -> StatusView:
    """Workers, ingest and the change log."""
    async with caller.desk.store.read() as look:
        boots = await look.rows("boots")
        rejects = (await look.rows("rejects"))[0]["rejects"]
        holds = (await look.rows("open_requests"))[0]["open"]
        seq = (await look.rows("change_seq"))[0]["seq"]
    facts, orphans = caller.facts, await waiting(caller.desk)
    return StatusView(
        version=facts.version,
        gateway_url=facts.gateway_url,
        console_url=facts.console_url,
        tls=_tls(facts.certificate),
        workers=[_worker(caller, boot) for boot in boots],
        ingest_lag_ms=facts.meter.lag_ms,
        rejects=rejects,
        open_holds=holds,
        seq=seq,
        keys_under_transfer=orphans.keys,
        keys_overdue=orphans.overdue,
        transfer_due_at=moment(orphans.due_ns),
    )


@routes.post("/link", status_code=status.HTTP_201_CREATED, response_class=Once)
async def create_link(caller: Annotated[Caller, Depends(Needs("link.create"))]) -> LinkView:
    """A link to sign in at the console with; the token stands in its fragment, which no server ever sees."""
    secret = await caller.do(signin.create_link)
    return LinkView(link=f"{caller.facts.console_url}/sign-in#{secret.reveal()}")


@routes.get("/settings")
async def list_settings(caller: Annotated[Caller, Depends(Needs("settings.read"))]) -> SettingsView:
    """Every setting with its source; what looks like a secret is masked."""
    told = [
        SettingView(name=one.name, value=_plain(one.value), source=one.source, description=one.description)
        for one in caller.facts.settings
    ]
    return SettingsView(settings=told)


@routes.get("/explain/{code}")
async def explain(
    caller: Annotated[Caller, Depends(Needs("explain.read"))], code: str, language: Language | None = None
) -> CodeView:
    """What a code means; in the language of Accept-Language where none is named."""
    spoken = language or caller.language
    found = catalogue.entry(code, spoken)
    if found is None:
        raise NotFound("code", code, catalogue.nearest(code))
    said = found.explained()
    return CodeView(code=said.code, language=spoken, fact=said.fact, cause=said.cause, fix=said.fix)


def _tls(served: Served | None) -> TlsView | None:
    if served is None:
        return None
    days = round(served.days_left(), 2)
    return TlsView(names=list(served.pair.names), days_left=days, problem=served.problem, supervisor=os.getppid())


def _worker(caller: Caller, boot: dict[str, Any]) -> WorkerView:
    pulse = caller.facts.meter.pulse(boot["boot_id"])
    return WorkerView(
        worker=boot["worker"],
        boot=boot["boot_id"],
        state=boot["state"],
        heartbeat_age_ms=max(0, caller.now_ns - int(boot["heartbeat"])) // 1_000_000,
        applied_seq=pulse.applied_seq if pulse else None,
        in_flight=pulse.in_flight if pulse else None,
        waiting=pulse.waiting if pulse else None,
        streams=pulse.streams if pulse else None,
        loop_lag_us=pulse.loop_lag_us if pulse else None,
    )


def _plain(value: object) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, bool | int | float) else mask(str(value))
