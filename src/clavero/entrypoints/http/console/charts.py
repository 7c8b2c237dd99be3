"""Charts as SVG, made here: no script, no colour of its own (classes name the tokens), geometry in attributes alone.

Pure: figures in, markup out. Axes begin at zero; what a chart shows is said in its label and, beside it, as a table.
"""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape
from msgspec import Struct

_TICKS = 5


class Line(Struct, frozen=True):
    """One line: its name at the end, the class of its colour, points as (x, y) in figures of the axes."""

    name: str
    css: str
    points: Sequence[tuple[float, float]]
    area: bool = False


class Level(Struct, frozen=True):
    """A limit that the figures run towards."""

    value: float
    name: str


class Mark(Struct, frozen=True):
    """A point with words: now, or where a line crosses its limit."""

    x: float
    name: str
    y: float = 0.0


class Plot(Struct, frozen=True, kw_only=True):
    """What every chart with axes needs; `y_name` writes a figure of the y axis, `x_names` are ticks and words."""

    label: str
    width: int
    height: int
    span: tuple[float, float]
    top: float
    y_name: Callable[[float], str]
    x_names: Sequence[tuple[float, str]]
    right: int = 16  # room for the names at the lines' ends


class Bar(Struct, frozen=True):
    """One stack: where it begins, how wide, its parts from below, and what it says in words."""

    x: float
    width: float
    parts: Sequence[float]
    name: str = ""


class _Frame:
    """Where figures lie on the paper."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.ticks = ticks(plot.top)
        widest = max(len(plot.y_name(tick)) for tick in self.ticks)
        self.left, self.upper = 12 + 7 * widest, 24
        self.right, self.lower = plot.width - plot.right, plot.height - 24

    def x(self, value: float) -> float:
        low, high = self.plot.span
        return self.left + (value - low) / ((high - low) or 1) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.lower - value / self.ticks[-1] * (self.lower - self.upper)

    def grid(self) -> list[str]:
        out = []
        for tick in self.ticks:
            at = self.y(tick)
            css = "base" if tick == 0 else "grid"
            out.append(f'<line class="{css}" x1="{self.left}" x2="{self.right}" y1="{at:.1f}" y2="{at:.1f}"/>')
            out.append(text(self.left - 8, at + 4, self.plot.y_name(tick), "tick end"))
        out += [text(self.x(at), self.lower + 18, name, "tick mid") for at, name in self.plot.x_names]
        return out

    def level(self, level: Level) -> list[str]:
        at = self.y(level.value)
        inside = self.plot.right <= 16
        words = text(self.left + 6, at - 6, level.name, "note") if inside else self.end(level.value, level.name, "note")
        return [f'<line class="level" x1="{self.left}" x2="{self.right}" y1="{at:.1f}" y2="{at:.1f}"/>', words]

    def end(self, value: float, name: str, css: str) -> str:
        return text(self.right + 6, self.y(value) + 4, name, css)


def ticks(top: float, most: int = _TICKS) -> list[float]:
    """Round figures from zero to at least `top`."""
    if top <= 0:
        return [0.0, 1.0]
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    return [round(step * number, 12) for number in range(math.ceil(top / step - 1e-9) + 1)]


def text(x: float, y: float, words: str, css: str) -> str:
    """Words on a chart."""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def svg(width: int, height: int, label: str, css: str, parts: Sequence[str]) -> Markup:
    """A picture with a name for those who do not see it."""
    head = f'<svg class="{css}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
    return Markup(f'{head} aria-label="{escape(label)}">{"".join(parts)}</svg>')  # noqa: S704 - words are escaped


def lines(
    plot: Plot, series: Sequence[Line], level: Level | None = None, now: Mark | None = None, cross: Mark | None = None
) -> Markup:
    """Lines over time: measured with an area, forecast dashed (class `dashed`), a limit, now, and the crossing."""
    frame = _Frame(plot)
    out = frame.grid()
    for line in series:
        if line.points:
            out += _line(frame, line)
    out += frame.level(level) if level else []
    if now is not None:
        at = frame.x(now.x)
        out.append(f'<line class="now" x1="{at:.1f}" x2="{at:.1f}" y1="{frame.upper - 6}" y2="{frame.lower}"/>')
        side = "end" if at > frame.right - 30 else "mid"
        out.append(text(at, frame.upper - 10, now.name, f"note {side}"))
    if cross is not None:
        x, y = frame.x(cross.x), frame.y(cross.y)
        out.append(f'<circle class="cross" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        out.append(text(x - 6, y - 10, cross.name, "warned end"))
    return svg(plot.width, plot.height, plot.label, "chart", out)


def _line(frame: _Frame, line: Line) -> list[str]:
    points = [(frame.x(x), frame.y(y)) for x, y in line.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    out = []
    if line.area:
        closed = f"{path}L{points[-1][0]:.1f} {frame.lower}L{points[0][0]:.1f} {frame.lower}Z"
        out.append(f'<path class="area {line.css}" d="{closed}"/>')
    out.append(f'<path class="line {line.css}" d="{path}"/>')
    if line.name and frame.plot.right > 16:
        out.append(frame.end(line.points[-1][1], line.name, "note"))
    return out


def bars(plot: Plot, stacks: Sequence[Bar], css: Sequence[str], level: Level | None = None) -> Markup:
    """Stacked bars; `css` are the classes of the parts from below."""
    frame = _Frame(plot)
    out = frame.grid()
    for stack in stacks:
        left, right = frame.x(stack.x), frame.x(stack.x + stack.width)
        gap = min(3.0, (right - left) * 0.2)
        below = 0.0
        out.append("<g>")
        for part, colour in zip(stack.parts, css, strict=True):
            if part > 0:
                top, bottom = frame.y(below + part), frame.y(below)
                size = f'width="{max(1.0, right - left - gap):.1f}" height="{max(1.0, bottom - top):.1f}"'
                out.append(f'<rect class="fill {colour}" x="{left + gap / 2:.1f}" y="{top:.1f}" {size}/>')
            below += part
        out.append(f"<title>{escape(stack.name)}</title></g>")
    out += frame.level(level) if level else []
    return svg(plot.width, plot.height, plot.label, "chart", out)


def sparkline(values: Sequence[float], label: str, width: int = 110, height: int = 20) -> Markup:
    """A small line without axes; nothing where there is nothing to compare."""
    top = max(values, default=0)
    if len(values) < 2 or top <= 0:
        return Markup()
    step = width / (len(values) - 1)
    points = "L".join(f"{n * step:.1f} {height - 2 - value / top * (height - 4):.1f}" for n, value in enumerate(values))
    return svg(width, height, label, "spark", [f'<path class="line faint" d="M{points}"/>'])


def meter(spent: int, held: int, limit: int, label: str, width: int = 100) -> Markup:
    """A budget: spent solid, held lighter, amber from 80 %, red once nothing is left."""
    whole = limit or 1
    solid = min(1.0, spent / whole) * width
    light = min(1.0 - solid / width, held / whole) * width
    used = (spent + held) / whole
    css = "bad" if used >= 1 else "warn" if used >= 0.8 else "main"
    rects = [f'<rect class="rest" width="{width}" height="6"/>']
    if solid > 0:
        rects.append(f'<rect class="fill {css}" width="{max(solid, 1):.2f}" height="6"/>')
    if light > 0:
        rects.append(f'<rect class="fill held {css}" x="{solid:.2f}" width="{light:.2f}" height="6"/>')
    head = f'<svg class="meter" viewBox="0 0 {width} 6" preserveAspectRatio="none" role="img"'
    return Markup(f'{head} aria-label="{escape(label)}">{"".join(rects)}</svg>')  # noqa: S704 - words are escaped
