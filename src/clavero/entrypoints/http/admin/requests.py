"""Requests: the newest that pass some filters, and one in full with its legs and attempts."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from msgspec.structs import asdict, astuple

from clavero.control import requests
from clavero.control.commit import Desk
from clavero.control.keys import show_key
from clavero.domain.keys import Key
from clavero.domain.refusals import InvalidValue, NotFound, Refusal
from clavero.domain.requests import may_come
from clavero.domain.usage import Attempt
from clavero.entrypoints.http.admin.auth import Needs, identify, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Nano, Text, View, exact, instant_ns
from clavero.entrypoints.http.admin.usage import TokensView, tokens_of
from clavero.entrypoints.http.tail import HEADERS, MEDIA_TYPE, News, Seen, Sought, event, placed

routes = router("requests")
Reader = Annotated[Caller, Depends(Needs("request.read"))]
_MOST = 500
_AGAIN_S = 0.1
_MOST_A_SECOND = 100


class AttemptView(View):
    """One call of one provider; microseconds since the request arrived. `status` 0 is no answer."""

    provider: str
    model: str
    started_us: int
    ended_us: int
    status: int
    first_byte_us: int
    code: str
    waited_us: int


class LegView(View):
    """One row of usage: a leg of a request that took its own hold, or its end."""

    hold_id: str
    at: str
    final: bool
    provider: str
    model_served: str
    tokens: TokensView
    cost_nano_usd: Nano
    held_nano_usd: Nano
    price_version: str
    status: int
    code: str
    outcome: str
    estimated: bool
    flag: str
    output_cap: int
    attempts: list[AttemptView]


class RequestView(LegView):
    """One request. `key` is the name of the key, `kid` its public id; `cost` is of all its legs."""

    request_id: str
    at_ns: int
    key: str
    kid: str
    key_version: int
    owner: str
    service: str
    team: str
    project: str
    environment: str
    feature: str
    endpoint: str
    model_asked: str
    first_token_us: int
    total_us: int
    overhead_us: int
    streamed: bool
    client_request_id: str
    peer: str


class RequestsView(View):
    """A page of requests, newest first; `next` is the `before` of the page after it, null on the last."""

    requests: list[RequestView]
    next: str | None


class TraceView(RequestView):
    """One request in full."""

    legs: list[LegView]


@routes.get("/requests")
async def list_requests(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    caller: Reader,
    key: Text = "",
    service: Text = "",
    model: Text = "",
    status: Annotated[int, Query(ge=0, le=599)] = 0,
    code: Text = "",
    before: Text = "",
    limit: int = 50,
) -> RequestsView:
    """The newest requests that pass the filters; `key` is a name or kid, `before` a moment or a `next`."""
    if not 1 <= limit <= _MOST:
        raise InvalidValue("limit", f"from 1 to {_MOST}", "50")
    kid = (await show_key(caller.desk, key)).id if key else ""
    wanted = requests.Wanted(
        key=kid, service=service, model=model, status=status, code=code, before=_before(caller, before)
    )
    rows = await requests.latest(caller.desk, wanted, limit)
    names = await _names(caller.desk, rows)
    onward = str(requests.Before(rows[-1]["at_ns"], rows[-1]["hold_id"])) if len(rows) == limit else None
    return RequestsView(requests=[RequestView(**_request(row, names)) for row in rows], next=onward)


@routes.get("/requests/tail", response_class=StreamingResponse)
async def tail_requests(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    request: Request,
    caller: Reader,
    key: Text = "",
    service: Text = "",
    model: Text = "",
    status: Annotated[int, Query(ge=0, le=599)] = 0,
    code: Text = "",
    since: Text = "",
) -> StreamingResponse:
    """Requests as they end, as server-sent events: `request` with one in JSON, `more` with how many were left out.

    At most 100 a second are sent, failures before all else. `since`, or the header Last-Event-ID, is the id of an
    event: what came after it is sent first; for an id of another run, the newest 50. Without one, only what is new.
    """
    kid = (await show_key(caller.desk, key)).id if key else ""
    await caller.facts.tail.refresh(caller.desk)
    cursor = request.headers.get("last-event-id", "") or since or caller.facts.tail.cursor
    sought = Sought(key_id=kid, service=service, model=model, status=status, code=code)
    news = caller.facts.tail.watch(
        caller.desk, cursor, sought, _MOST_A_SECOND, lambda: identify(request, Needs("request.read"))
    )
    return StreamingResponse(_events(caller, news, await anext(news)), headers=HEADERS, media_type=MEDIA_TYPE)


async def _events(caller: Caller, coming: AsyncIterator[News], first: News) -> AsyncIterator[bytes]:
    """News as events; the last one says why where who watches may do so no longer."""
    yield _told(caller, first)
    try:
        async for news in coming:
            yield _told(caller, news)
    except Refusal as refusal:
        yield event("over", json.dumps({"code": refusal.code, "message": refusal.message}))


def _told(caller: Caller, news: News) -> bytes:
    names = caller.facts.tail.names
    told = [event("request", _json(one, names)) for one in news.seen]
    if news.more:
        told.append(event("more", json.dumps({"more": news.more})))
    return b"".join(told) + placed(news.cursor)


def _json(seen: Seen, names: Mapping[str, str]) -> str:
    it = seen.exchange
    row = {**asdict(it), **asdict(it.tokens), "attempts": [astuple(one) for one in it.attempts]}
    return RequestView(**_request({**row, "hold_id": seen.hold_id, "flag": seen.flag}, names)).model_dump_json()


@routes.get("/requests/{request_id}")
async def show_request(caller: Reader, request_id: str) -> TraceView:
    """One request in full; asked for right after its answer, it is waited for until its record has come in.

    410 where its record is older than `retention.records_days`.
    """
    found = await _awaited(caller, request_id)
    names = await _names(caller.desk, [found.last])
    facts = {**_request(found.last, names), "cost_nano_usd": found.cost_n}
    return TraceView(**facts, legs=[LegView(**_leg(row)) for row in found.legs])


async def _awaited(caller: Caller, request_id: str) -> requests.Exchange:
    """The trace, its last row included where that may come and does within the patience we have."""
    tries = max(1, round(caller.facts.patience_s / _AGAIN_S)) if may_come(request_id, caller.now_ns // 10**9) else 0
    found: requests.Exchange | None = None
    for _ in range(tries):
        try:
            found = await requests.trace(caller.desk, request_id)
        except NotFound:
            found = None
        if found is not None and found.last["final"]:
            return found
        await asyncio.sleep(_AGAIN_S)
    return found or await requests.trace(caller.desk, request_id)


def _before(caller: Caller, text: str) -> requests.Before:
    if not text:
        return requests.Before()
    return requests.before(text) or requests.Before(instant_ns(text, "before", caller.now_ns))


async def _names(desk: Desk, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What the keys of these rows are called."""
    async with desk.store.read() as look:
        found = [await look.get(Key, kid) for kid in {row["key_id"] for row in rows if row["key_id"]}]
    return {key.id: key.name for key in found if key is not None}


def _request(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    own = {
        field: row[field] for field in RequestView.model_fields if field in row and field not in LegView.model_fields
    }
    return {**_leg(row), **own, "key": names.get(row["key_id"], ""), "kid": row["key_id"]}


def _leg(row: dict[str, Any]) -> dict[str, Any]:
    same = {field: row[field] for field in LegView.model_fields if field in row}
    return same | {
        "at": exact(row["at_ns"]),
        "tokens": tokens_of(row),
        "cost_nano_usd": row["cost_n"],
        "held_nano_usd": row["held_n"],
        "attempts": [_attempt(one) for one in row["attempts"]],
    }


def _attempt(one: Sequence[Any]) -> AttemptView:
    """An attempt is kept as an array in the order of its fields; later fields may be missing."""
    known = Attempt(*one)
    return AttemptView(**{field: getattr(known, field) for field in AttemptView.model_fields})
