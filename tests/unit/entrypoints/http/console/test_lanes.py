import re
import xml.etree.ElementTree as ET

from clavero.entrypoints.http.console.lanes import Epoch, Lane, Life, life_line, waterfall

DAY = 86_400


def lane_boxes(drawing: str, css: str) -> list[tuple[float, float]]:
    found = ET.fromstring(drawing).iter("rect")
    return [(float(one.get("x", 0)), float(one.get("width", 0))) for one in found if one.get("class") == css]


def test_an_attempt_is_outlined_until_its_first_token_and_solid_after() -> None:
    rows = [Lane(name="1 openai", start=0, end=4_000_000, first=1_000_000)]
    drawing = waterfall("x", rows, lambda value: f"{value:g} s")
    ((outline_x, outline_width),) = lane_boxes(drawing, "outline main")
    ((solid_x, solid_width),) = lane_boxes(drawing, "fill main")
    assert round(solid_width / outline_width, 2) == 0.75
    assert abs(solid_x + solid_width - outline_x - outline_width) < 0.2


def test_a_wait_is_one_box_and_an_instant_can_still_be_seen() -> None:
    drawing = waterfall(
        "x", [Lane(name="Gateway", start=0, end=3, css="idle"), Lane(name="1", start=3, end=10**6)], str
    )
    ((_, width),) = lane_boxes(drawing, "fill idle")
    assert width == 1.5


def test_a_long_name_is_cut_and_every_word_escaped() -> None:
    drawing = waterfall("<x>", [Lane(name="1 <a-provider-with-a-long-name>", start=0, end=1, said="<b>")], str)
    texts = [one.text for one in ET.fromstring(drawing).iter("text")]
    assert "1 <a-provider-w…" in texts
    assert "<b>" in texts


def test_versions_lie_below_one_another_and_their_overlap_is_hatched() -> None:
    lives = [
        Life(name="v1 ended", start=0, end=60 * DAY, overlap=2 * DAY, css="rest"),
        Life(name="v2", start=58 * DAY, end=90 * DAY),
    ]
    epoch = Epoch(
        start=0,
        end=90 * DAY,
        now=70 * DAY,
        now_name="now",
        x_names=[(30 * DAY, "Oct")],
        expires=90 * DAY,
        expires_name="expires",
    )
    drawing = life_line("life", epoch, lives)
    ((hatch_x, hatch_width),) = lane_boxes(drawing, "hatch")
    ((first_x, first_width), *_) = lane_boxes(drawing, "fill rest")
    assert abs(hatch_x + hatch_width - first_x - first_width) < 0.2
    assert {"now", "Oct", "v1 ended", "v2", "expires"} <= {one.text for one in ET.fromstring(drawing).iter("text")}
    assert not re.search(r"style=", drawing)


def test_a_short_life_is_named_beside_it() -> None:
    lives = [Life(name="v1 ended", start=0, end=DAY), Life(name="v2 ended", start=89 * DAY, end=90 * DAY)]
    drawing = life_line("life", Epoch(start=0, end=90 * DAY, now=90 * DAY, now_name="now", x_names=[]), lives)
    named = {one.text: one for one in ET.fromstring(drawing).iter("text")}
    assert "end" not in named["v1 ended"].get("class", "")
    assert "end" in named["v2 ended"].get("class", "")
