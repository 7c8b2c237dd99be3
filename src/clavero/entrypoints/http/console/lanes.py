"""Two charts whose rows are lanes in time: the waterfall of one exchange, and the life of a key by its versions."""

from collections.abc import Callable, Sequence

from markupsafe import Markup
from msgspec import Struct

from clavero.entrypoints.http.console.charts import svg, text, ticks

_HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line class="hatched" x1="0" y1="0" x2="0" y2="5"/></pattern></defs>'
)


class Lane(Struct, frozen=True, kw_only=True):
    """One row of a waterfall; times in microseconds since arrival. `first` is when the answer began, 0 for never."""

    name: str
    start: int
    end: int
    first: int = 0
    css: str = "main"  # main, warn, bad, idle
    said: str = ""


class Life(Struct, frozen=True, kw_only=True):
    """One version of a key; times in UTC nanoseconds. `overlap` is how much of the end it shared with the next."""

    name: str
    start: int
    end: int
    overlap: int = 0
    css: str = "main"  # main, rest, bad


class Epoch(Struct, frozen=True, kw_only=True):
    """What the life line runs over: its span, now, ticks with their words, and the words for now, due and expiry."""

    start: int
    end: int
    now: int
    now_name: str
    x_names: Sequence[tuple[int, str]]
    expires: int = 0
    expires_name: str = ""


def waterfall(label: str, rows: Sequence[Lane], seconds: Callable[[float], str], width: int = 400) -> Markup:
    """Gateway, waits and attempts below one another; outlined until the first token, solid while it streamed."""
    left, right, row = 112.0, width - 64.0, 22
    whole = max([lane.end for lane in rows] + [1])
    marks = ticks(whole / 1e6, 4)
    scale = (right - left) / (marks[-1] * 1e6)
    bottom = row * len(rows) + 4
    out = []
    for mark in marks:
        at = left + mark * 1e6 * scale
        out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{bottom}"/>')
        out.append(text(at, bottom + 14, seconds(mark), "tick mid"))
    for number, lane in enumerate(rows):
        y = number * row
        out.append(text(0, y + 15, _short(lane.name), "note"))
        out += _lane(lane, left, y + 6, scale)
        out.append(text(width, y + 15, lane.said, f"note end {lane.css if lane.css in {'warn', 'bad'} else ''}"))
    return svg(width, bottom + 20, label, "waterfall", out)


def _lane(lane: Lane, left: float, y: float, scale: float) -> list[str]:
    start, end = left + lane.start * scale, left + lane.end * scale
    width = max(1.5, end - start)
    box = f'x="{start:.1f}" y="{y}" height="10"'
    if not lane.first or lane.first >= lane.end:
        return [f'<rect class="fill {lane.css}" {box} width="{width:.1f}"/>']
    first = left + lane.first * scale
    return [
        f'<rect class="outline {lane.css}" {box} width="{width:.1f}"/>',
        f'<rect class="fill {lane.css}" x="{first:.1f}" y="{y}" height="10" width="{max(1.5, end - first):.1f}"/>',
    ]


def life_line(label: str, epoch: Epoch, lives: Sequence[Life], width: int = 1040) -> Markup:
    """One lane for each version; hatched where two worked at once, a line for now, a ring for the expiry."""
    upper, row = 24, 26
    bottom = upper + row * len(lives) + 8
    scale = (width - 24) / max(1, epoch.end - epoch.start)

    def x(at: int) -> float:
        return 12 + (min(max(at, epoch.start), epoch.end) - epoch.start) * scale

    out = [_HATCH]
    for at, name in epoch.x_names:
        out.append(f'<line class="grid" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{upper - 4}" y2="{bottom}"/>')
        out.append(text(x(at), bottom + 18, name, "tick"))
    for number, life in enumerate(lives):
        out += _life(life, x, upper + number * row, x(epoch.now))
    out.append(f'<line class="base" x1="12" x2="{width - 12}" y1="{bottom}" y2="{bottom}"/>')
    if epoch.expires:
        ends = x(epoch.expires)
        out.append(f'<circle class="ring" cx="{ends:.1f}" cy="{bottom}" r="4"/>')
        out.append(text(ends, bottom - 8, epoch.expires_name, "note end"))
    now = x(epoch.now)
    out.append(f'<line class="now" x1="{now:.1f}" x2="{now:.1f}" y1="{upper - 8}" y2="{bottom}"/>')
    out.append(text(now, upper - 12, epoch.now_name, "note end" if now > width - 40 else "note mid"))
    return svg(width, bottom + 26, label, "lifeline", out)


def _life(life: Life, x: Callable[[int], float], y: float, now: float) -> list[str]:
    start, end = x(life.start), x(life.end)
    width = max(3.0, end - start)
    out = [f'<rect class="fill {life.css}" x="{start:.1f}" y="{y}" width="{width:.1f}" height="18" rx="2"/>']
    if life.overlap:
        at = x(life.end - life.overlap)
        out.append(f'<rect class="hatch" x="{at:.1f}" y="{y}" width="{max(3.0, end - at):.1f}" height="18"/>')
    inside = width > 7 * len(life.name) + 12
    if not inside:
        return [*out, _beside(life.name, start, end, y)]
    room = 7 * len(life.name) + 8
    if start < now < start + room and now + room < end:  # the line of now would run through the words
        start = now
    out.append(f'<rect class="fill {life.css}" x="{start + 4:.1f}" y="{y + 2}" width="{room}" height="14"/>')
    return [*out, text(start + 8, y + 13, life.name, f"on {life.css}")]


def _beside(name: str, start: float, end: float, y: float) -> str:
    room = start > 7 * len(name) + 20
    return text(start - 8, y + 13, name, "note end") if room else text(end + 8, y + 13, name, "note")


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
