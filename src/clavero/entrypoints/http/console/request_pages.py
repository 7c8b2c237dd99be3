"""The latest exchanges by filter, and one in full beside them."""

from starlette.responses import Response

from clavero.control import requests
from clavero.control.budgets import list_budgets
from clavero.control.keys import list_keys
from clavero.control.organisation import tree
from clavero.control.requests import Wanted
from clavero.domain.budgets import Subject
from clavero.domain.credentials import Provider
from clavero.domain.keys import Key
from clavero.domain.pricing import Price
from clavero.domain.routing import Prices
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.console import reads
from clavero.entrypoints.http.console.reads import Leg
from clavero.entrypoints.http.console.request_views import (
    STATUSES,
    ExchangeView,
    Filter,
    RequestsView,
    Told,
    address,
    exchange_view,
    rows,
)
from clavero.entrypoints.http.console.visit import Visit

_PAGE = 50
_FILTERS = ("key", "service", "model", "status", "code")


async def index(visit: Visit) -> Response:
    """The list."""
    return await _page(visit, [])


async def show(visit: Visit) -> Response:
    """The list, and one exchange in full."""
    request_id = visit.named("request_id")
    legs = await reads.trace(visit.desk, request_id)
    return await _page(visit, legs)


async def _page(visit: Visit, legs: list[Leg]) -> Response:
    t, f = visit.words, visit.formats
    chosen = filters_of(visit)
    keys = await list_keys(visit.desk)
    await visit.console.tail.refresh(visit.desk)
    cursor = visit.console.tail.cursor  # before the rows are read: what comes between is told twice, and shown once
    found, onward = await reads.page(visit.desk, wanted_of(chosen, keys, visit.asked("before")), _PAGE)
    names = {str(key.id): key.name for key in keys}
    opened = legs[-1].exchange.request_id if legs else ""
    paging = bool(visit.asked("before"))
    view = RequestsView(
        summary=t("requests.paged", time=f.moment(found[0].at_ns)) if paging and found else t("requests.summary"),
        rows=rows(found, names, chosen, opened, (t, f)),
        filters=await _filters(visit, chosen, keys),
        filtered=bool(chosen),
        what=", ".join(chosen.values()),
        tail="" if paging else address("/requests/tail", chosen, open=opened),
        cursor=cursor,
        list=address("/requests", chosen),
        older=address("/requests", chosen, before=onward) if onward else "",
        open=await _exchange(visit, legs, names) if legs else None,
        try_it="clavero smoke",
    )
    return visit.page("requests.html", view=view)


def filters_of(visit: Visit) -> dict[str, str]:
    """The filters that the address sets."""
    return {name: visit.asked(name)[:120] for name in _FILTERS if visit.asked(name)}


def wanted_of(chosen: dict[str, str], keys: list[Key], before: str = "") -> Wanted:
    """What the filters ask for; a key by its name or public id."""
    key = chosen.get("key", "")
    status = chosen.get("status", "")
    return Wanted(
        key=next((str(one.id) for one in keys if key in {one.name, one.id}), key),
        service=chosen.get("service", ""),
        model=chosen.get("model", ""),
        status=int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 0,
        code=chosen.get("code", ""),
        before=requests.before(before) or requests.Before(),
    )


async def _filters(visit: Visit, chosen: dict[str, str], keys: list[Key]) -> list[Filter]:
    t = visit.words
    codes = await reads.codes(visit.desk, visit.now_ns - 86_400 * 1_000_000_000)
    known = {
        "key": [key.name for key in keys],
        "service": [one.name for one in (await tree(visit.desk)).services],
        "model": await reads.models(visit.desk, 7),
        "status": [str(status) for status in STATUSES],
        "code": sorted(codes),
    }
    made = []
    for name, values in known.items():
        value = chosen.get(name, "")
        options = [*values, *([value] if value and value not in values else [])]
        made.append(Filter(name, t(f"filter.{name}"), value, [(one, one) for one in options]))
    return made


async def _exchange(visit: Visit, legs: list[Leg], names: dict[str, str]) -> ExchangeView:
    last = legs[-1].exchange
    price = await _price(visit, last)
    told = Told(legs, names.get(last.key_id, ""), await _budget_names(visit), price)
    return exchange_view(told, visit.words, visit.formats)


async def _budget_names(visit: Visit) -> dict[str, str]:
    t = visit.words
    found = {}
    for one in await list_budgets(visit.desk):
        name = "" if one.budget.subject is Subject.ORGANISATION else f" {one.name}"
        found[str(one.budget.id)] = f"{t(f'subject.{one.budget.subject}')}{name} ({t(f'window.{one.budget.window}')})"
    return found


async def _price(visit: Visit, last: Exchange) -> Price | None:
    async with visit.desk.store.read() as look:
        provider = await look.get(Provider, last.provider)
        return Prices(await look.find(Price)).of(provider, last.model_served) if provider else None
