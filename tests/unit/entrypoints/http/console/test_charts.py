import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from clavero.entrypoints.http.console.charts import (
    Bar,
    Level,
    Line,
    Mark,
    Plot,
    bars,
    lines,
    meter,
    sparkline,
    svg,
    text,
    ticks,
)

PLOT = Plot(
    label="Spend <today>", width=752, height=248, span=(0.0, 24.0), top=10.0, y_name=lambda value: f"{value:.0f}",
    x_names=[(0, "00:00"), (24, "24:00")], right=100,
)  # fmt: skip


def well_formed(drawing: str) -> ET.Element:
    """The drawing as XML; it must need no script and no style of its own."""
    assert not re.search(r"style=|<script|on\w+=", drawing)
    return ET.fromstring(drawing)


@pytest.mark.parametrize("top", [0.0, 0.003, 1.0, 7.3, 10.0, 1999.0, 2500.0, 1e9])
def test_ticks_are_round_begin_at_zero_and_reach_the_top(top: float) -> None:
    marks = ticks(top)
    assert marks[0] == 0
    assert marks[-1] >= top
    assert 2 <= len(marks) <= 6
    steps = {round((b - a) / marks[1], 6) for a, b in pairwise(marks)}
    assert steps == {1.0}


def test_a_line_lies_where_its_figures_are() -> None:
    drawing = well_formed(lines(PLOT, [Line("Now", "s1", [(0, 0), (12, 5), (24, 10)], area=True)]))
    path = next(one for one in drawing.iter("path") if one.get("class") == "line s1")
    points = [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([\d. ]+)", path.get("d", ""))]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert y0 > y2  # more is higher


def test_a_chart_says_what_it_is_and_escapes_words() -> None:
    drawing = lines(PLOT, [Line("<i>", "s1", [(0, 1)])], Level(8, "Budget & co"), Mark(3, "14:20"), Mark(20, "soon", 8))
    read = well_formed(drawing)
    assert read.get("aria-label") == "Spend <today>"
    assert {"<i>", "Budget & co", "14:20", "soon"} <= {one.text for one in read.iter("text")}


def test_an_empty_chart_is_a_chart() -> None:
    assert well_formed(lines(PLOT, [Line("", "s1", [])])).tag == "svg"
    assert well_formed(bars(PLOT, [], ("main",))).tag == "svg"


def test_the_parts_of_a_bar_stand_on_one_another() -> None:
    drawing = well_formed(bars(PLOT, [Bar(0, 1, (5, 3, 2), "all ten")], ("main", "warn", "bad")))
    boxes = [(float(one.get("y", 0)), float(one.get("height", 0))) for one in drawing.iter("rect")]
    assert [round(height / boxes[2][1], 1) for _, height in boxes] == [2.5, 1.5, 1.0]
    assert boxes[1][0] + boxes[1][1] == pytest.approx(boxes[0][0], abs=0.2)


def test_a_level_without_room_at_the_end_is_named_inside() -> None:
    narrow = Plot(
        label="x", width=344, height=200, span=(0, 1), top=1, y_name=str, x_names=[], right=16,
    )  # fmt: skip
    assert "Budget" in lines(narrow, [], Level(0.5, "Budget"))


def test_a_sparkline_of_nothing_is_nothing() -> None:
    assert sparkline([], "x") == sparkline([0, 0], "x") == sparkline([3], "x") == ""
    assert well_formed(sparkline([1, 2], "calls")).get("aria-label") == "calls"


@pytest.mark.parametrize(
    ("spent", "held", "css"), [(0, 0, None), (50, 10, "main"), (79, 1, "warn"), (100, 0, "bad"), (140, 0, "bad")]
)
def test_a_meter_is_amber_from_80_and_red_when_nothing_is_left(spent: int, held: int, css: str | None) -> None:
    boxes = list(well_formed(meter(spent, held, 100, "64%")).iter("rect"))
    shown = [one.get("class") for one in boxes[1:2]]
    assert shown == ([f"fill {css}"] if css else [])
    assert sum(float(one.get("width", 0)) for one in boxes[1:]) <= 100


def test_a_meter_of_nothing_does_not_divide() -> None:
    assert well_formed(meter(0, 0, 0, "none")).tag == "svg"


def test_words_and_pictures_are_escaped() -> None:
    assert text(1, 2, "<&>", "note") == '<text class="note" x="1.0" y="2.0">&lt;&amp;&gt;</text>'
    assert 'aria-label="&lt;b&gt;"' in svg(1, 1, "<b>", "chart", [])
