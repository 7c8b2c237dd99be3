"""What `clavero top` shows: workers, providers, who is busiest, budgets near their end, in one look.

Figures come from what ingest told and from the workers' pulses; a look costs the database a few small questions,
however much is going on. What was posted by an ingester on another machine is not in the figures of this one.
"""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query

from clavero.control.budgets import Standing, nearest_limit
from clavero.control.pressure import Kept, spent_today, tightest, used
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Moment, Nano, View, exact, moment
from clavero.entrypoints.http.admin.recent import Doing, Second

routes = router("top")
_NS = 1_000_000_000
T = TypeVar("T")


class FlowView(View):
    """How much and how well, over the seconds looked at; shares of 1, null of nothing, `rate` is a second's."""

    rate: float
    error_share: float | None
    refused_share: float | None


class WorkerView(FlowView):
    """One worker; what only it can say is null until it has. `seq_lag` counts changes it has not applied yet."""

    worker: str
    boot: str
    state: str
    heartbeat_age_ms: int
    seq_lag: int | None
    in_flight: int | None
    waiting: int | None
    streams: int | None
    loop_lag_us: int | None
    ours_p50_us: int | None
    ours_p99_us: int | None
    first_token_p50_us: int | None
    first_token_p99_us: int | None


class ProviderView(FlowView):
    """One provider: its calls, retries included; `error_share` is of them."""

    provider: str
    p50_us: int | None
    p99_us: int | None
    first_byte_p50_us: int | None


class PressureView(View):
    """A budget and how much of it is gone, as a share of 1."""

    id: str
    name: str
    window: str
    used: float
    spent_nano_usd: Nano
    held_nano_usd: Nano
    limit_nano_usd: Nano
    left_nano_usd: Nano
    state: str
    resets_at: Moment


class BusyView(FlowView):
    """A key or a service; `tightest` is the budget nearest its end of those that bind it."""

    name: str
    kid: str
    owner: str
    spent_today_nano_usd: Nano
    tightest: PressureView | None


class ControlView(View):
    """The control plane; of its journals, `unread_bytes` wait to be posted, and all take `journal_bytes` on disk."""

    version: str
    url: str
    up_s: int
    loop_lag_us: int
    memory_bytes: int
    ingest_lag_ms: int | None
    rejects: int
    open_holds: int
    unread_bytes: int
    journal_bytes: int
    watchers: int


class TopView(FlowView):
    """One look. `seconds` is what the figures are of: fewer than asked for after a start."""

    at: str
    seconds: int
    cost_nano_usd: Nano
    control: ControlView
    workers: list[WorkerView]
    providers: list[ProviderView]
    keys: list[BusyView]
    services: list[BusyView]
    budgets: list[PressureView]


@routes.get("/top")
async def show_top(
    caller: Annotated[Caller, Depends(Needs("status.read"))],
    seconds: Annotated[int, Query(ge=1, le=60)] = 30,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> TopView:
    """The last seconds in one look: for a person on call, and for what draws it for them."""
    recent = caller.facts.recent
    whole, there = recent.over(seconds)
    everything = Doing()
    for doing in whole.workers.values():
        everything.take(doing)
    nearest = await _kept(caller, f"budgets {limit}", 1, lambda: nearest_limit(caller.desk, limit))
    return TopView(
        at=exact(caller.now_ns),
        seconds=there,
        cost_nano_usd=everything.cost_n,
        control=await _control(caller),
        workers=await _workers(caller, whole, there),
        providers=[_provider(name, doing, there) for name, doing in _most(whole.providers, limit)],
        keys=await _busy(caller, whole.keys, there, limit, key=True),
        services=await _busy(caller, whole.services, there, limit, key=False),
        budgets=[_pressure(one) for one in nearest],
        **_flow(everything, there),
    )


async def _control(caller: Caller) -> ControlView:
    facts = caller.facts
    async with caller.desk.store.read() as look:
        rejects = (await look.rows("rejects"))[0]["rejects"]
        holds = (await look.rows("open_requests"))[0]["open"]
        boots = await look.rows("boots")
    size = await _kept(caller, "journal", 2, lambda: asyncio.to_thread(_size, facts.journal))
    return ControlView(
        version=facts.version,
        url=facts.console_url,
        up_s=(caller.desk.clock.monotonic_ns() - facts.recent.begun_ns) // _NS,
        loop_lag_us=facts.recent.loop_lag_us,
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        ingest_lag_ms=facts.meter.lag_ms,
        rejects=rejects,
        open_holds=holds,
        unread_bytes=sum(max(0, int(boot["tail"]) - int(boot["consumed"])) for boot in boots),
        journal_bytes=size,
        watchers=facts.tail.watchers,
    )


async def _workers(caller: Caller, whole: Second, there: int) -> list[WorkerView]:
    async with caller.desk.store.read() as look:
        boots = await look.rows("boots")
        seq = int((await look.rows("published_seq"))[0]["seq"])
    return sorted(
        (_worker(caller, boot, whole.workers.get(boot["boot_id"], Doing()), there, seq) for boot in boots),
        key=lambda one: (one.worker, one.state != "live", one.heartbeat_age_ms),
    )


def _worker(caller: Caller, boot: dict[str, Any], doing: Doing, there: int, seq: int) -> WorkerView:
    pulse = caller.facts.meter.pulse(boot["boot_id"])
    return WorkerView(
        worker=boot["worker"],
        boot=boot["boot_id"],
        state=boot["state"],
        heartbeat_age_ms=max(0, caller.now_ns - int(boot["heartbeat"])) // 1_000_000,
        seq_lag=max(0, seq - pulse.applied_seq) if pulse else None,
        in_flight=pulse.in_flight if pulse else None,
        waiting=pulse.waiting if pulse else None,
        streams=pulse.streams if pulse else None,
        loop_lag_us=pulse.loop_lag_us if pulse else None,
        ours_p50_us=doing.ours.at(50),
        ours_p99_us=doing.ours.at(99),
        first_token_p50_us=doing.first.at(50),
        first_token_p99_us=doing.first.at(99),
        **_flow(doing, there),
    )


def _provider(name: str, doing: Doing, there: int) -> ProviderView:
    return ProviderView(
        provider=name,
        p50_us=doing.ours.at(50),
        p99_us=doing.ours.at(99),
        first_byte_p50_us=doing.first.at(50),
        **_flow(doing, there),
    )


async def _busy(caller: Caller, doings: dict[str, Doing], there: int, limit: int, *, key: bool) -> list[BusyView]:
    """The busiest keys or services, with what they spent today and the budget that will bind them first."""
    kind = "key" if key else "service"
    most = [(name, doing) for name, doing in _most(doings, limit) if name]
    latest: dict[str, Exchange] = {name: doing.last for name, doing in most if doing.last}
    spent = await _kept(caller, f"spent {kind}", 10, lambda: spent_today(caller.desk, kind)) if most else {}
    bound = await _kept(caller, f"bound {kind} {sorted(latest)}", 2, lambda: tightest(caller.desk, latest, key=key))
    await caller.facts.tail.refresh(caller.desk)
    return [
        BusyView(
            name=caller.facts.tail.names.get(name, "") or name if key else name,
            kid=name if key else "",
            owner=doing.last.owner if doing.last and key else "",
            spent_today_nano_usd=spent.get(name, 0),
            tightest=_pressure(bound[name]) if name in bound else None,
            **_flow(doing, there),
        )
        for name, doing in most
    ]


def _pressure(standing: Standing) -> PressureView:
    budget = standing.budget
    return PressureView(
        id=budget.id,
        name=standing.label,
        window=budget.window,
        used=round(used(standing), 4),
        spent_nano_usd=standing.spent_n,
        held_nano_usd=standing.held_n,
        limit_nano_usd=budget.limit_n,
        left_nano_usd=standing.left_n,
        state=budget.state,
        resets_at=moment(standing.resets_ns),
    )


def _flow(doing: Doing, there: int) -> dict[str, Any]:
    def share(part: int) -> float | None:
        return round(part / doing.calls, 4) if doing.calls else None

    return {
        "rate": round(doing.calls / there, 2),
        "error_share": share(doing.errors),
        "refused_share": share(doing.refused),
    }


def _most(doings: dict[str, Doing], limit: int) -> list[tuple[str, Doing]]:
    return sorted(doings.items(), key=lambda one: (-one[1].calls, one[0]))[:limit]


async def _kept(caller: Caller, name: str, seconds: int, ask: Callable[[], Awaitable[T]]) -> T:
    answers = caller.facts.recent.answers
    if name not in answers and len(answers) > 100:  # names of those who are busiest change
        answers.clear()
    kept: Kept[T] = answers.setdefault(name, Kept(caller.desk.clock, seconds * _NS))
    return await kept.get(ask)


def _size(folder: Path | None) -> int:
    """Bytes that the journals take on disk."""
    if folder is None:
        return 0
    size = 0
    for file in folder.glob("*/*.seg"):
        try:
            size += file.stat().st_blocks * 512
        except FileNotFoundError:
            continue  # it was ingested between the look and the question
    return size
