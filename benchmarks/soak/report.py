"""The report of a soak: what grew between its middle and its end, in words and as a chart."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.soak.load import Load
from benchmarks.soak.watch import Sample

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")
_HEADING = (
    f"{'process':<12} {'MB start':>9} {'middle':>8} {'end':>8} {'most':>8} {'MB/h, 2nd half':>15} "
    f"{'files':>9} {'threads':>9}"
)
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="11">'
_WIDE, _HIGH, _LEFT, _TOP, _BOTTOM = 960, 260, 60, 30, 30


def slope_per_hour(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the line of least squares through (seconds, value), in units an hour."""
    count = len(points)
    if count < 2:
        return 0.0
    middle_x, middle_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return 3600 * sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def text(samples: Sequence[Sample], load: Load, flags: dict[str, Any]) -> str:
    """The whole report."""
    late = [sample for sample in samples if sample.at >= samples[-1].at / 2]
    lines = [
        "Soak of clavero: "
        + ", ".join(f"{name} {value}" for name, value in flags.items() if not isinstance(value, Path)),
        f"{samples[-1].at:.0f} s, {len(samples)} samples, {sum(load.counts.values()):,} answers",
        f"{load.rotated} rotations, {load.revoked} revocations",
        "",
        _HEADING,
    ]
    for name in _names(samples):
        own = [sample for sample in samples if name in sample.processes]
        memory = [(sample.at, sample.processes[name].rss_mb) for sample in own]
        tail = [point for point in memory if point[0] >= late[0].at]
        first, last = own[0].processes[name], own[-1].processes[name]
        lines.append(
            f"{name:<12} {memory[0][1]:>9.1f} {tail[0][1] if tail else 0:>8.1f} {memory[-1][1]:>8.1f} "
            f"{max(value for _, value in memory):>8.1f} {slope_per_hour(tail):>+15.2f} "
            f"{f'{first.descriptors}→{last.descriptors}':>9} {f'{first.threads}→{last.threads}':>9}"
        )
    lines += [
        "",
        *_besides(samples),
        "",
        "Answers",
        *(f"  {name:<24} {n:>9,}" for name, n in sorted(load.counts.items())),
    ]
    lines += ["", "Not as expected", *(f"  {name:<24} {n:>9,}" for name, n in sorted(load.wrong.items()))]
    lines += [f"  revoked keys that were still let in after 1 s: {load.late}", ""]
    return "\n".join(lines)


def chart(samples: Sequence[Sample]) -> str:
    """Memory of each process, and the journal with its lag, over time: one SVG that needs nothing else."""
    names = _names(samples)
    memory = {
        name: [(one.at, one.processes[name].rss_mb) for one in samples if name in one.processes] for name in names
    }
    besides = {
        "journal, MB": [(one.at, one.journal_mb) for one in samples],
        "database, MB": [(one.at, one.database_mb) for one in samples],
        "descriptors, all": [(one.at, float(sum(p.descriptors for p in one.processes.values()))) for one in samples],
        "ingest lag, ms": [(one.at, one.lag_seconds * 1000) for one in samples],
    }
    panels = _panel("Resident memory, MB", memory, 0) + _panel("Besides", besides, _HIGH)
    head = _SVG.format(wide=_WIDE, high=2 * _HIGH)
    return f'{head}<rect width="100%" height="100%" fill="white"/>{panels}</svg>\n'


def _names(samples: Sequence[Sample]) -> list[str]:
    return list(dict.fromkeys(name for sample in samples for name in sample.processes))


def _besides(samples: Sequence[Sample]) -> list[str]:
    def line(label: str, of: Callable[[Sample], float]) -> str:
        values = [of(sample) for sample in samples]
        middle = values[len(values) // 2]
        ends = f"start {values[0]:>9.1f}  middle {middle:>9.1f}  end {values[-1]:>9.1f}"
        return f"{label:<24} {ends}  most {max(values):>9.1f}"

    return [
        line("journal segments", lambda one: one.segments),
        line("journal, MB", lambda one: one.journal_mb),
        line("database, MB", lambda one: one.database_mb),
        line("ingest lag, ms", lambda one: one.lag_seconds * 1000),
        line("open holds", lambda one: one.open_holds),
        line("rejected frames", lambda one: one.rejects),
    ]


def _panel(title: str, lines: dict[str, list[tuple[float, float]]], down: int) -> str:
    right, most = _WIDE - 160, max((y for points in lines.values() for _, y in points), default=1.0) or 1.0
    end = max((x for points in lines.values() for x, _ in points), default=1.0) or 1.0
    bottom = down + _HIGH - _BOTTOM

    def at(x: float, y: float) -> str:
        return f"{_LEFT + x / end * (right - _LEFT):.1f},{bottom - y / most * (_HIGH - _TOP - _BOTTOM):.1f}"

    parts = [f'<text x="{_LEFT}" y="{down + 18}" font-weight="bold">{html.escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (_HIGH - _TOP - _BOTTOM)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * most:.0f}</text>')
        parts.append(
            f'<text x="{_LEFT + share * (right - _LEFT):.1f}" y="{bottom + 16}">{share * end / 60:.1f} min</text>'
        )
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(at(x, y) for x, y in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        parts.append(f'<text x="{right + 10}" y="{down + 40 + 16 * number}" fill="{colour}">{html.escape(name)}</text>')
    return "".join(parts)
