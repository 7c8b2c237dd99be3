"""The tail of requests in a real browser: rows that come, wait, are too many, and outlive the server."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.entrypoints.http.console.house import Served
from tests.e2e.entrypoints.http.console.reading import Reader

from clavero.domain.usage import Exchange, Tokens

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 400, "height": 860}, "locale": "es-ES", "color_scheme": "dark"}
_numbers = iter(range(10_000))


def one(house: Served, name: str, **known: object) -> Exchange:
    """An exchange that ended now, on the key that all of these tests filter by."""
    facts: dict[str, object] = {
        "status": 200, "key_id": house.made["staging-docs-helper-01"].id, "model_asked": "gpt-4o-mini",
        "tokens": Tokens(input=700, output=90), "cost_n": 123_000, "total_us": 640_000,
    }  # fmt: skip
    return Exchange(f"req_{name}", house.house.clock.wall_ns(), **facts | known)  # type: ignore[arg-type] # facts of a test


def fresh() -> str:
    return f"tail{next(_numbers):017}"


def watch(reader: Reader, query: str = "") -> Page:
    """The page, once it is connected."""
    with reader.page.expect_response(re.compile("/requests/tail")):
        reader.open(f"/requests{query}")
    reader.page.mouse.move(0, 0)
    return reader.page


def row(page: Page, name: str):  # type: ignore[no-untyped-def] # a locator
    return page.locator(f'tr[data-id="req_{name}"]')


def test_a_request_appears_while_one_looks(reader: Reader) -> None:
    page, name = watch(reader), fresh()
    reader.house.heard(one(reader.house, name))
    expect(row(page, name)).to_be_visible()
    expect(page.locator("#rows tbody tr").first).to_have_attribute("data-id", f"req_{name}")
    expect(row(page, name)).to_contain_text("staging-docs-helper-01")
    expect(page.locator("#rows tbody tr")).to_have_count(50)
    row(page, name).locator("a").click()
    page.wait_for_url(f"**/requests/req_{name}*")


def test_the_first_request_takes_the_place_of_the_words_that_there_is_none(reader: Reader) -> None:
    page, name = watch(reader, "?status=404"), fresh()
    expect(page.locator("main")).to_contain_text("No request matches")
    reader.house.heard(
        one(reader.house, fresh(), status=200), one(reader.house, name, status=404, code="model_not_found")
    )
    expect(row(page, name)).to_be_visible()
    expect(page.locator("#rows tbody tr")).to_have_count(1)  # the filter is kept
    expect(page.locator("main")).not_to_contain_text("No request matches")


def test_what_comes_during_a_pause_waits_and_is_counted(reader: Reader) -> None:
    page, names = watch(reader), [fresh(), fresh()]
    page.keyboard.press("Space")
    expect(page.locator("[data-pause]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-pause]")).to_contain_text("Resume tail")
    reader.house.heard(*(one(reader.house, name) for name in names))
    expect(page.locator("[data-tail-state]")).to_have_text("Paused; new: 2")
    expect(row(page, names[0])).to_have_count(0)
    page.keyboard.press("Space")
    expect(row(page, names[0])).to_be_visible()
    expect(row(page, names[1])).to_be_visible()


def test_no_row_jumps_away_under_the_pointer(reader: Reader) -> None:
    page, name = watch(reader), fresh()
    page.locator("#rows tbody tr").nth(3).hover()
    reader.house.heard(one(reader.house, name))
    expect(page.locator("[data-tail-state]")).to_contain_text("held while you are on the list")
    expect(row(page, name)).to_have_count(0)
    page.mouse.move(0, 0)
    expect(row(page, name)).to_be_visible()


def test_a_burst_is_counted_and_its_failures_are_shown(reader: Reader) -> None:
    page, failed = watch(reader), fresh()
    burst = [one(reader.house, fresh()) for _ in range(300)]
    reader.house.heard(one(reader.house, failed, status=502, code="upstream_error"), *burst)
    expect(row(page, failed)).to_be_visible()
    expect(page.locator("[data-tail-state]")).to_contain_text(re.compile(r"28\d more were not shown"))
    expect(page.locator("#rows tbody tr")).to_have_count(50)


def test_the_tail_outlives_a_restart_and_shows_what_came_meanwhile(reader: Reader) -> None:
    page, meanwhile, after = watch(reader), fresh(), fresh()
    house = reader.house

    def away() -> None:
        expect(page.locator("[data-tail-state]")).to_have_text("Not connected; trying again", timeout=15_000)
        house.house.post([(one(house, meanwhile), [])])

    house.restart(away)
    expect(row(page, meanwhile)).to_be_visible(timeout=30_000)
    house.heard(one(house, after))
    expect(row(page, after)).to_be_visible(timeout=15_000)
    expect(page.locator("[data-tail-state]")).to_contain_text("Live")
    reader.complaints = [
        said for said in reader.complaints if "ERR_CONNECTION_REFUSED" not in said and "ERR_INCOMPLETE" not in said
    ]


@pytest.mark.parametrize("reader", [PHONE], indirect=True, ids=["phone"])
def test_on_a_phone_in_spanish_and_in_the_dark_it_is_the_same(reader: Reader) -> None:
    page, name = watch(reader), fresh()
    reader.house.heard(one(reader.house, name))
    expect(row(page, name)).to_be_visible()
    expect(page.locator("[data-tail-state]")).to_contain_text("En vivo")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("reader", [{"reduced_motion": "reduce"}], indirect=True, ids=["still"])
def test_who_wants_no_motion_gets_none(reader: Reader) -> None:
    page, name = watch(reader), fresh()
    reader.house.heard(one(reader.house, name))
    expect(row(page, name)).to_be_visible()
    assert row(page, name).evaluate("row => getComputedStyle(row).animationName") == "none"


def test_a_screen_reader_hears_a_count_and_no_rows(reader: Reader) -> None:
    page, name = watch(reader), fresh()
    page.clock.install()
    with page.expect_response(re.compile("/requests/tail")):
        page.reload()
    reader.house.heard(one(reader.house, name))
    expect(row(page, name)).to_be_visible()
    said = page.locator("[data-tail-said]")
    expect(said).to_have_attribute("role", "status")
    expect(said).to_have_text("")
    assert page.locator("[aria-live] tr, [role=status] tr, [role=log]").count() == 0
    page.clock.fast_forward(31_000)
    expect(said).to_have_text("New requests: 1")
