"""New exchanges for a page that is open: their rows, as the page would show them, by server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from clavero.control.keys import list_keys
from clavero.domain.refusals import Refusal
from clavero.entrypoints.http.console.request_pages import filters_of, wanted_of
from clavero.entrypoints.http.console.request_views import rows
from clavero.entrypoints.http.console.visit import HEADERS, Visit
from clavero.entrypoints.http.tail import HEADERS as STREAMED
from clavero.entrypoints.http.tail import MEDIA_TYPE, News, Sought, event, placed

MOST_A_SECOND = 20  # rows; nobody reads more
_OVER = event("over", "{}")


async def stream(visit: Visit) -> Response:
    """Rows since the page was made (`from`), or since the connection broke (Last-Event-ID), as long as it is open."""
    chosen = filters_of(visit)
    wanted = wanted_of(chosen, await list_keys(visit.desk) if "key" in chosen else [])
    sought = Sought(
        key_id=wanted.key, service=wanted.service, model=wanted.model, status=wanted.status, code=wanted.code
    )
    tail = visit.console.tail
    cursor = visit.request.headers.get("last-event-id", "") or visit.asked("from") or tail.cursor
    coming = tail.watch(visit.desk, cursor, sought, MOST_A_SECOND, lambda: visit.console.door.enter(visit.request))
    return _answer(_events(visit, chosen, coming, await anext(coming)))


def over(_visit: Visit) -> Response:
    """To somebody who is not signed in any more: an end that the page can tell from a broken connection."""
    return Response(_OVER, 200, _headers(), MEDIA_TYPE)


async def _events(
    visit: Visit, chosen: dict[str, str], coming: AsyncIterator[News], first: News
) -> AsyncIterator[bytes]:
    yield _told(visit, chosen, first)
    try:
        async for news in coming:
            yield _told(visit, chosen, news)
    except Refusal:
        yield _OVER


def _told(visit: Visit, chosen: dict[str, str], news: News) -> bytes:
    if not news.seen and not news.more:
        return placed(news.cursor)
    found = [one.exchange for one in news.seen]
    opened = visit.asked("open")
    made = rows(found, visit.console.tail.names, chosen, opened, (visit.words, visit.formats))
    said: dict[str, Any] = {"rows": visit.part("rows.html", calls=made, opened=bool(opened)), "more": news.more}
    return placed(news.cursor)[:-1] + event("rows", json.dumps(said))


def _answer(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, 200, _headers(), MEDIA_TYPE)


def _headers() -> dict[str, str]:
    return HEADERS | STREAMED
