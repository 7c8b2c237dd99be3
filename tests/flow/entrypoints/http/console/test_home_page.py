from tests.e2e.entrypoints.http.console.house import HOUR
from tests.flow.entrypoints.http.console.visitor import Visitor, words

from clavero.entrypoints.http.console import reads

MINUTE = 60 * 10**9


async def test_home_shows_the_sums_of_the_store(visitor: Visitor) -> None:
    page = words(await visitor.page("/"))
    desk = visitor.house.desk
    minute = -(-desk.clock.wall_ns() // MINUTE) * MINUTE
    hour = (await reads.steps(desk, minute - HOUR, HOUR))[0]
    assert hour.calls > 10
    assert f"Requests {hour.calls} last hour" in page
    assert f"{hour.failed} of {hour.calls}" in page


async def test_every_budget_is_a_bar_with_its_words(visitor: Visitor) -> None:
    page = await visitor.page("/")
    assert page.count('<svg class="meter"') >= 4
    assert "organisation" in page
    assert "prod-growth-outreach-01" in page


async def test_the_chart_is_also_a_table(visitor: Visitor) -> None:
    for chart, said in (("spend", "Spend today"), ("requests", "Requests an hour")):
        page = await visitor.page(f"/?chart={chart}")
        assert said in page
        assert "Show as table" in page
        assert page.count('<svg class="chart"') == 2  # one for each width
    assert "Refused" in await visitor.page("/?chart=requests")


async def test_what_expires_and_what_ends_needs_a_person(visitor: Visitor) -> None:
    page = words(await visitor.page("/"))
    assert "1 key expires within 7 days" in page
    assert "prod-support-summary-01 ends in" in page


async def test_an_empty_house_says_what_to_do(newcomer: Visitor) -> None:
    page = words(await newcomer.page("/"))
    assert "Nothing waits for you." in page
    assert "No keys yet" in page
    assert "Create key" in page


async def test_find_goes_to_a_key_by_name_id_or_end_and_to_a_request(visitor: Visitor) -> None:
    key = visitor.made["prod-support-chat-01"]
    for wanted in (key.name, key.id, key.versions[-1].last_four):
        answer = await visitor.get(f"/find?q={wanted}")
        assert answer.headers["location"] == f"/keys/{key.name}"
    assert (
        (await visitor.get("/find?q=req_failed000000000000001"))
        .headers["location"]
        .endswith("req_failed000000000000001")
    )
    assert (await visitor.get("/find?q=prod%20x")).headers["location"] == "/keys?q=prod+x"
