"""`/metrics`: Prometheus text of what the meter counted, what workers last said, and what the ledger has.

Names follow OpenTelemetry's GenAI conventions where there are any (`gen_ai_*`), else they are `clavero_*`. A scraper on
this machine needs no token; any other needs one that may read metrics.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Depends, Response
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from clavero.control.commit import Desk
from clavero.control.custody import Waiting, waiting
from clavero.entrypoints.certificates import Served
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import AdminFacts, Caller
from clavero.entrypoints.http.admin.meter import Counts, Meter, Spread

routes = router("metrics")
_CALL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")
_GAUGES = (
    ("in_flight", "Exchanges that a worker carries now."),
    ("waiting", "Exchanges that wait for money or a turn."),
    ("streams", "Streams that are open."),
    ("applied_seq", "The newest change that a worker has applied."),
)


class Gauged(Struct, frozen=True):
    """What the database says at the moment of a scrape."""

    now_ns: int
    boots: list[dict[str, Any]]
    ledger: dict[str, Any]
    rejects: int
    holds: int
    seq: int
    waiting: Waiting = Waiting()


@routes.get("/metrics", include_in_schema=False)
async def metrics(caller: Annotated[Caller, Depends(Needs("metrics.read", local=True))]) -> Response:
    """Everything, as Prometheus reads it."""
    gauged = await read(caller.desk)
    return Response(exposed(caller.facts, gauged), media_type=None, headers={"content-type": CONTENT_TYPE_LATEST})


async def read(desk: Desk) -> Gauged:
    """One look at the database."""
    orphans = await waiting(desk)
    async with desk.store.read() as look:
        return Gauged(
            waiting=orphans,
            now_ns=desk.clock.wall_ns(),
            boots=[boot for boot in await look.rows("boots") if boot["state"] == "live"],
            ledger=(await look.rows("ledger_sums"))[0],
            rejects=(await look.rows("rejects"))[0]["rejects"],
            holds=(await look.rows("open_requests"))[0]["open"],
            seq=(await look.rows("change_seq"))[0]["seq"],
        )


def exposed(facts: AdminFacts, gauged: Gauged) -> bytes:
    """The text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(facts, gauged))
    return generate_latest(registry)


class _Scrape(Collector):
    def __init__(self, facts: AdminFacts, gauged: Gauged) -> None:
        self._facts = facts
        self._gauged = gauged

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        meter = self._facts.meter
        build = GaugeMetricFamily("clavero_build_info", "Which clavero this is.", labels=["version"])
        build.add_metric([self._facts.version], 1)
        yield build
        with meter.lock:
            counted = [*_counters(meter), *_spreads(meter)]
        yield from counted
        yield _certificate(self._facts.certificate)
        yield from _workers(meter, self._gauged)
        yield from _stored(meter, self._gauged)


def _certificate(served: Served | None) -> Metric:
    days = _gauge("clavero_tls_certificate_days_left", "Days until the listeners' certificate ends; none without TLS.")
    if served is not None:
        days.add_metric([], served.days_left())
    return days


def _counters(meter: Meter) -> Iterator[Metric]:
    yield _counter("clavero_exchanges", "Exchanges that ended.", meter.exchanges, "endpoint", "model", "status", "code")
    yield _counter("clavero_tokens", "Tokens by kind.", meter.tokens, "endpoint", "provider", "model", "type")
    yield _counter("clavero_cost_nano_usd", "Spend in nano-USD.", meter.cost, "provider", "model")
    yield _counter(
        "clavero_estimated_cost_nano_usd", "Spend that no provider reported.", meter.estimated, "provider", "model"
    )
    overruns = "Calls that their provider billed above what was held for them."
    yield _counter("clavero_overruns", overruns, meter.overruns, "provider", "model")
    beyond = "What these calls were billed above it, in nano-USD."
    yield _counter("clavero_overrun_nano_usd", beyond, meter.beyond, "provider", "model")
    yield _counter(
        "clavero_attempts", "Calls of providers; code is empty for a good one.", meter.attempts, "provider", "code"
    )
    yield _counter("clavero_unreadable_frames", "Frames of a journal that nobody can read.", meter.rejected)


def _spreads(meter: Meter) -> Iterator[Metric]:
    yield _histogram("gen_ai_client_token_usage", "Tokens of one call.", meter.token_usage, *_CALL, "gen_ai_token_type")
    yield _histogram("gen_ai_client_operation_duration_seconds", "From arrival to end.", meter.durations, *_CALL)
    yield _histogram("gen_ai_server_time_to_first_token_seconds", "To the first token.", meter.first_tokens, *_CALL)
    yield _histogram("clavero_overhead_seconds", "Time that is ours, not the provider's.", meter.overheads, "endpoint")


def _workers(meter: Meter, gauged: Gauged) -> Iterator[Metric]:
    age = _gauge("clavero_worker_heartbeat_age_seconds", "Since a worker was last heard of.", "worker")
    lag = _gauge("clavero_worker_loop_lag_seconds", "How late a worker's loop is.", "worker")
    others = {name: _gauge(f"clavero_worker_{name}", says, "worker") for name, says in _GAUGES}
    for boot in gauged.boots:
        worker = [str(boot["worker"])]
        age.add_metric(worker, max(0, gauged.now_ns - int(boot["heartbeat"])) / 1e9)
        pulse = meter.pulse(boot["boot_id"])
        if pulse is not None:
            lag.add_metric(worker, pulse.loop_lag_us / 1e6)
            for name, gauge in others.items():
                gauge.add_metric(worker, getattr(pulse, name))
    yield from (age, lag, *others.values())


def _stored(meter: Meter, gauged: Gauged) -> Iterator[Metric]:
    says = {
        "posted": "Spent, over all rows of the ledger that are not archived, nano-USD.",
        "leased": "Lent to workers, nano-USD.",
        "lost": "Reserved for workers that fell silent, nano-USD.",
        "excess": "Committed above a limit, nano-USD.",
    }
    for name, text in says.items():
        gauge = _gauge(f"clavero_ledger_{name}_nano_usd", text)
        gauge.add_metric([], float(gauged.ledger[name]))
        yield gauge
    figures = {
        "clavero_open_holds": ("Calls whose money is held.", gauged.holds),
        "clavero_journal_rejects": ("Frames that could not be posted.", gauged.rejects),
        "clavero_keys_under_transfer": ("Keys whose owner has left.", gauged.waiting.keys),
        "clavero_keys_transfer_overdue": ("Those of them whose transfer is overdue.", gauged.waiting.overdue),
        "clavero_change_seq": ("The newest change.", gauged.seq),
        "clavero_ingest_lag_seconds": ("Age of the newest pulse when it came in.", (meter.lag_ms or 0) / 1000),
    }
    for metric, (text, figure) in figures.items():
        gauge = _gauge(metric, text)
        gauge.add_metric([], float(figure))
        yield gauge


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=labels)


def _counter(name: str, says: str, counts: Counts, *labels: str) -> Metric:
    family = CounterMetricFamily(name, says, labels=labels)
    for values, total in counts.items():
        family.add_metric(values, total)
    return family


def _histogram(name: str, says: str, spread: Spread, *labels: str) -> Metric:
    family = HistogramMetricFamily(name, says, labels=labels)
    for values, buckets, total in spread.items():
        family.add_metric(values, buckets=buckets, sum_value=total)
    return family
