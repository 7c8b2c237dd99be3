import re

import pytest
from tests.flow.entrypoints.http.console.visitor import Visitor, words

FAILED = "req_failed000000000000001"
REFUSED = "req_refused00000000000001"


def listed(page: str) -> list[str]:
    return re.findall(r'class="row mono" href="/requests/(req_\w+)', page)


async def test_the_newest_are_listed_first(visitor: Visitor) -> None:
    page = await visitor.page("/requests")
    assert listed(page)[:2] == [REFUSED, FAILED]
    assert len(listed(page)) == 50
    assert "429 budget" in words(page)
    assert "502 upstream" in words(page)


async def test_filters_are_the_address(visitor: Visitor) -> None:
    assert listed(await visitor.page("/requests?status=502")) == [FAILED]
    assert listed(await visitor.page("/requests?code=insufficient_quota")) == [REFUSED]
    page = await visitor.page("/requests?key=prod-growth-outreach-01&model=gpt-4o")
    assert listed(page)
    assert all("key=prod-growth-outreach-01" in link for link in re.findall(r'href="(/requests/req_[^"]+)"', page))
    assert "No request matches" in words(await visitor.page("/requests?service=nothing"))


async def test_filters_that_are_nonsense_find_nothing_or_everything(visitor: Visitor) -> None:
    for query in ("status=abc", "status=-1", "before=abc", "before=" + "9" * 40, "key=%00", "model=%F0%9F%98%80"):
        await visitor.page(f"/requests?{query}")


async def test_older_pages_go_on_where_the_last_ended(visitor: Visitor) -> None:
    first = await visitor.page("/requests")
    older = re.search(r'href="(/requests\?before=\d+_[\w.]+)"', first)
    assert older
    assert not set(listed(first)) & set(listed(await visitor.page(older[1])))


async def test_one_exchange_shows_its_attempts_and_why_it_failed(visitor: Visitor) -> None:
    page = await visitor.page(f"/requests/{FAILED}")
    text = words(page)
    assert '<svg class="waterfall"' in page
    assert text.count("openai-main") >= 3
    assert "upstream_error" in text
    assert "No budget was charged." in text


@pytest.mark.requirement(1)
async def test_one_exchange_shows_its_money_to_the_last_digit(visitor: Visitor) -> None:
    page = await visitor.page("/requests?key=prod-growth-outreach-01&status=200")
    text = words(await visitor.page(f"/requests/{listed(page)[0]}"))
    settled = re.search(r"Settled [\d,]+ (\d+\.\d{6})", text)
    held = re.search(r"Held (\d+\.\d{6}) at worst case, (\d+\.\d{6}) returned", text)
    assert settled
    assert held
    assert abs(float(held[1]) - float(held[2]) - float(settled[1])) < 2e-6
    assert "2.500" in text  # the price of a million tokens
    assert "key prod-growth-outreach-01 (a day)" in text
    assert "Price list 2026-11-01." in text


async def test_a_key_that_was_asked_for_by_name_is_found_by_id(visitor: Visitor) -> None:
    by_name = listed(await visitor.page("/requests?key=prod-rag-search-02"))
    by_id = listed(await visitor.page(f"/requests?key={visitor.made['prod-rag-search-02'].id}"))
    assert by_name == by_id != []


async def test_nothing_yet_says_how_to_send_one(newcomer: Visitor) -> None:
    page = words(await newcomer.page("/requests"))
    assert "No requests yet" in page
    assert "clavero smoke" in page
