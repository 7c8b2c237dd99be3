"""Home, and the field that finds things."""

import re

from starlette.responses import Response

from clavero.control.budgets import list_budgets
from clavero.control.custody import leavers
from clavero.control.keys import list_keys
from clavero.control.tiers import drift
from clavero.domain.keys import newest
from clavero.entrypoints.http.console import reads
from clavero.entrypoints.http.console.home_views import DAY, HOUR, MINUTE, QUARTER, Facts, home
from clavero.entrypoints.http.console.request_views import address
from clavero.entrypoints.http.console.visit import Visit

_REQUEST = re.compile(r"req_[0-9A-Za-z]{4,64}")


async def show(visit: Visit) -> Response:
    """What needs a person, the figures, the chart."""
    desk, now = visit.desk, visit.now_ns
    known = await list_keys(desk)
    minute = -(-now // MINUTE) * MINUTE  # the last hour ends with the present minute
    facts = Facts(
        quarters=await reads.steps(desk, now - now % DAY, QUARTER),
        hours=(await reads.steps(desk, minute - DAY, HOUR))[:24],
        clock_hours=await reads.steps(desk, now - now % HOUR - 23 * HOUR, HOUR),
        speed=await reads.speed(desk, now - HOUR),
        codes=await reads.codes(desk, now - HOUR),
        standings=await list_budgets(desk),
        keys=known,
        today=await reads.by_key(desk, 1),
        rejects=await reads.rejects(desk),
        gone=await leavers(desk),
        drift=await drift(desk, known),
    )
    return visit.page("home.html", view=home(facts, visit.words, visit.formats, visit.asked("chart")))


async def find(visit: Visit) -> Response:
    """Go to what was asked for: a request by its id, a key by name, id or last four; else the keys that fit."""
    wanted = visit.asked("q")[:200]
    if _REQUEST.fullmatch(wanted):
        return visit.go(f"/requests/{wanted}")
    ending = wanted.removeprefix("…")
    for key in await list_keys(visit.desk):
        if wanted in {key.name, key.id} or (len(ending) == 4 and newest(key).last_four == ending):
            return visit.go(f"/keys/{key.name}")
    return visit.go(address("/keys", {"q": wanted}))
