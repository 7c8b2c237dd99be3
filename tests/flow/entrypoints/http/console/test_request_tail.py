import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse
from tests.e2e.entrypoints.http.console.house import BOOT
from tests.flow.entrypoints.http.console.visitor import HOME, Visitor

from clavero.control.commit import perform
from clavero.control.signin import end_session
from clavero.domain.access import SYSTEM
from clavero.domain.usage import Exchange
from clavero.entrypoints.http import tail as tail_module
from clavero.entrypoints.http.console import request_tail
from clavero.entrypoints.http.console.door import Door
from clavero.entrypoints.http.console.visit import Console, Visit
from clavero.entrypoints.http.tail import MEDIA_TYPE, Tail
from clavero.wire.journal import Record


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "TICK_S", 0.01)
    monkeypatch.setattr(tail_module, "_CHECKED_TICKS", 3)


async def visiting(visitor: Visitor, tail: Tail, query: str = "", language: str = "en") -> Visit:
    """A reader's look at the stream; the answer has no end, so that it is read without the transport."""
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    headers = {"host": HOME.removeprefix("http://"), "cookie": cookies, "accept-language": language}
    scope = {
        "type": "http", "method": "GET", "path": "/requests/tail", "query_string": query.encode(), "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("127.0.0.1", 5),
        "path_params": {}, "app": visitor.app, "state": {},
    }  # fmt: skip
    desk = visitor.house.desk
    visit = Visit(Console(desk, Door(desk), HOME, tail), Request(scope))
    visit.actor, visit.session = await visit.console.door.enter(visit.request)
    return visit


async def opened(visit: Visit) -> AsyncIterator[str]:
    answer = await request_tail.stream(visit)
    assert isinstance(answer, StreamingResponse)
    assert answer.media_type == MEDIA_TYPE
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    async for part in answer.body_iterator:
        yield part.decode() if isinstance(part, bytes) else str(part)


async def rows(coming: AsyncIterator[str]) -> Any:
    """What the next event of rows says."""
    async for part in coming:
        if "event: rows" in part:
            return json.loads(part.partition("data: ")[2])
    raise AssertionError("the stream ended")


async def test_a_row_comes_as_the_page_would_show_it_with_its_filters_kept(visitor: Visitor) -> None:
    tail, key = Tail(visitor.house.clock), visitor.made["prod-rag-search-02"]
    await tail.refresh(visitor.house.desk)
    coming = opened(await visiting(visitor, tail, "key=prod-rag-search-02&status=502", "es"))
    first = await anext(coming)
    assert first == f"id: {tail.cursor}\n\n"
    now = visitor.house.clock.wall_ns()
    tail.heard(BOOT, [
        Record(Exchange("req_mine", now, key_id=key.id, status=502, code="upstream_error", cost_n=1_234_000_000)),
        Record(Exchange("req_good", now, key_id=key.id, status=200)),
        Record(Exchange("req_else", now, key_id="another00000", status=502)),
    ])  # fmt: skip
    news = await rows(coming)
    assert news["more"] == 0
    assert news["rows"].count("<tr") == 1
    assert f'data-id="req_mine" data-at="{now}"' in news["rows"]
    assert 'href="/requests/req_mine?key=prod-rag-search-02&amp;status=502"' in news["rows"]
    assert "1,234000" in news["rows"]  # as Spanish writes it
    assert "prod-rag-search-02" in news["rows"]


async def test_a_burst_is_told_by_its_newest_and_how_many_more(visitor: Visitor) -> None:
    tail = Tail(visitor.house.clock)
    await tail.refresh(visitor.house.desk)
    coming = opened(await visiting(visitor, tail))
    await anext(coming)
    tail.heard(BOOT, [Record(Exchange(f"req_{number}", number, status=200)) for number in range(300)])
    news = await rows(coming)
    assert news["rows"].count("<tr") == request_tail.MOST_A_SECOND
    assert news["more"] == 300 - request_tail.MOST_A_SECOND


async def test_who_comes_back_is_given_what_was_missed(visitor: Visitor) -> None:
    tail = Tail(visitor.house.clock)
    await tail.refresh(visitor.house.desk)
    cursor = tail.cursor
    tail.heard(BOOT, [Record(Exchange("req_missed", 7, status=200))])
    news = await rows(opened(await visiting(visitor, tail, f"from={cursor}")))
    assert 'data-id="req_missed"' in news["rows"]
    news = await rows(opened(await visiting(visitor, tail, "from=of-another-life-7")))
    assert news["rows"].count("<tr") == 50


async def test_a_session_that_ends_ends_its_stream(visitor: Visitor) -> None:
    tail = Tail(visitor.house.clock)
    visit = await visiting(visitor, tail)
    coming = opened(visit)
    await anext(coming)
    assert visit.session
    await perform(visitor.house.desk, SYSTEM, end_session, kid=visit.session.id)
    parts = [part async for part in coming]
    assert parts[-1] == "event: over\ndata: {}\n\n"


async def test_a_stranger_is_told_that_it_is_over_and_not_led_to_a_page(visitor: Visitor) -> None:
    visitor.client.cookies.clear()
    answer = await visitor.get("/requests/tail", accept=MEDIA_TYPE)
    assert (answer.status_code, answer.text) == (200, "event: over\ndata: {}\n\n")
    assert answer.headers["content-type"].startswith(MEDIA_TYPE)
    assert (await visitor.get("/requests/tail")).status_code == 303


async def test_what_callers_wrote_is_text_in_a_row_and_nothing_else(visitor: Visitor) -> None:
    tail = Tail(visitor.house.clock)
    await tail.refresh(visitor.house.desk)
    coming = opened(await visiting(visitor, tail))
    await anext(coming)
    tail.heard(BOOT, [Record(Exchange("req_x", 7, status=200, model_asked="<script>alert(1)</script>\n\nevent: over"))])
    part = await anext(coming)
    assert part.count("\n\n") == 1
    assert "<script>" not in json.loads(part.partition("data: ")[2])["rows"]
