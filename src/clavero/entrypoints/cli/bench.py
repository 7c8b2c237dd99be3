"""`clavero bench`: what the gateway costs, beside nginx and a direct call, in interleaved rounds of one run."""

import json as encoding
import statistics
import sys
from typing import Any

from clavero.entrypoints.bench_stand import CHUNKS, Stand, open_stand

_TARGETS = {
    "ratio_to_nginx": ("CPU per chat completion, times nginx", 3.0),
    "ratio_chunk": ("CPU per streamed chunk, times nginx", 1.8),
    "ratio_translated": ("CPU per translated chat, times pass-through", 2.0),
    "added_p50_ms": ("added p50 at 30 % of the peak, ms", 0.5),
    "added_p99_ms": ("added p99 at 30 % of the peak, ms", 3.0),
    "worker_mb": ("memory of a worker after load, MB", 50.0),
}


def bench(
    *, rounds: int = 9, exchanges: int = 20_000, workers: int = 1, nginx: str = "nginx", json: bool = False
) -> int:
    """Measure the gateway beside nginx and a direct call.

    Example: clavero bench --rounds 9 --json

    Parameters
    ----------
    rounds
        Interleaved rounds; the figures are their medians.
    exchanges
        Chat completions a round and target, after a tenth of them to warm up.
    workers
        Workers of the gateway; they share the measured core.
    nginx
        The nginx to compare with.
    json
        Print one JSON object.
    """
    with open_stand(nginx, workers) as stand:
        figures = measure(stand, rounds, exchanges)
    if json:
        print(encoding.dumps(figures))
        return 0
    print(table(figures))
    return 0


def table(figures: dict[str, Any]) -> str:
    """The figures of a run beside what they should be at most, for people."""
    lines = [f"{'figure':<42} {'measured':>9} {'target':>7}"]
    lines += [f"{label:<42} {figures[name]:>9.2f} {target:>7.1f}" for name, (label, target) in _TARGETS.items()]
    lines.append(
        f"clavero {figures['exchange_us']:.0f} µs an exchange and {figures['chunk_us']:.1f} µs a chunk; "
        f"nginx {figures['nginx_us']:.0f} and {figures['nginx_chunk_us']:.1f}; core {figures['core_share']:.0%} busy"
    )
    lines.append("switched on: " + figures["switched_on"])
    return "\n".join(lines)


def measure(stand: Stand, rounds: int, exchanges: int) -> dict[str, Any]:
    """Every figure of one run, by name; microseconds, milliseconds and MB as the names say."""
    for target in ("nginx", "clavero"):
        stand.load(target, exchanges // 10)
    stand.load("clavero", exchanges // 10, kind="translated")
    names = ("nginx", "clavero", "nginx_chunk", "clavero_chunk", "translated")
    taken: dict[str, list[float]] = {name: [] for name in names}
    peaks: list[float] = []
    shares: list[float] = []
    for number in range(rounds):
        for target in ("nginx", "clavero"):
            plain, rate, share = _cpu_us(stand, target, exchanges, "plain")
            streams = max(64, exchanges // 50)
            stream, _, _ = _cpu_us(stand, target, streams, "stream")
            taken[target].append(plain)
            taken[f"{target}_chunk"].append(max(0.0, stream - plain) / CHUNKS)
            if target == "clavero":
                peaks.append(rate)
                shares.append(share)
                taken["translated"].append(_cpu_us(stand, target, exchanges, "translated")[0])
        _progress(f"round {number + 1}/{rounds}: {taken['clavero'][-1]:.0f} µs, {taken['nginx'][-1]:.0f} µs nginx")
    rate = 0.3 * statistics.median(peaks)
    total = max(500, min(exchanges, int(rate * 10)))
    ours, direct = (stand.load(target, total, per_second=rate) for target in ("clavero", "direct"))
    return {
        **_ratios(taken),
        "added_p50_ms": (ours.p50_us - direct.p50_us) / 1000,
        "added_p99_ms": (ours.p99_us - direct.p99_us) / 1000,
        "peak_per_second": statistics.median(peaks),
        "core_share": statistics.median(shares),
        "worker_mb": stand.rss_kib("clavero") / 1024,
        "broken": ours.broken,
        "switched_on": "authentication, budgets at five levels, journal, ledger, deadlines, usage, records, metrics",
    }


def _ratios(taken: dict[str, list[float]]) -> dict[str, Any]:
    """Medians of microseconds, and of the ratios of what ran in the same round, with their range."""
    compared = {
        "to_nginx": ("clavero", "nginx"),
        "chunk": ("clavero_chunk", "nginx_chunk"),
        "translated": ("translated", "clavero"),
    }
    told: dict[str, Any] = {
        "exchange_us": statistics.median(taken["clavero"]),
        "chunk_us": statistics.median(taken["clavero_chunk"]),
        "nginx_us": statistics.median(taken["nginx"]),
        "nginx_chunk_us": statistics.median(taken["nginx_chunk"]),
        "translated_us": statistics.median(taken["translated"]),
        "rounds": [dict(zip(taken, figures, strict=True)) for figures in zip(*taken.values(), strict=True)],
    }
    for name, (ours, theirs) in compared.items():
        ratios = [mine / other for mine, other in zip(taken[ours], taken[theirs], strict=True)]
        told |= {f"ratio_{name}": statistics.median(ratios), f"range_{name}": [min(ratios), max(ratios)]}
    return told


def _cpu_us(stand: Stand, target: str, total: int, kind: str) -> tuple[float, float, float]:
    """CPU microseconds an answer, answers a second, and how busy the measured core was with it."""
    before = stand.cpu_ns(target)
    run = stand.load(target, total, kind=kind)
    used = stand.cpu_ns(target) - before
    if run.count != total or run.broken:
        raise RuntimeError(f"{target}: {run.answers}, {run.broken} broken")
    return used / total / 1000, run.count / run.seconds, used / 1e9 / run.seconds


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
