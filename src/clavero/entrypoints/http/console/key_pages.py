"""Looking at keys: the list by attention, and one key with its life, its calls and its budgets."""

from collections.abc import Iterable, Mapping

from starlette.responses import Response

from clavero.control.budgets import Standing, binding, list_budgets, standings_of
from clavero.control.custody import leavers
from clavero.control.keys import list_keys, show_key
from clavero.control.members import list_members
from clavero.control.pressure import used
from clavero.control.requests import Wanted
from clavero.control.tiers import case_of
from clavero.domain.budgets import Subject
from clavero.domain.freezes import holding
from clavero.domain.keys import Key, KeyState
from clavero.domain.members import MemberState
from clavero.domain.organisation import Environment, Service
from clavero.domain.tiers import breaches
from clavero.entrypoints.http.console import reads
from clavero.entrypoints.http.console.key_list_views import QUICK, Asked, KeyFacts, keys_view
from clavero.entrypoints.http.console.key_views import OneKey, key_view
from clavero.entrypoints.http.console.reads import Spent
from clavero.entrypoints.http.console.views import Trouble
from clavero.entrypoints.http.console.visit import Visit

_CALLS = 8
_CHANGES = 8
NO_LIMIT = {"limit": "", "window": "day"}


async def index(visit: Visit) -> Response:
    """The list."""
    desk = visit.desk
    facts = KeyFacts(
        keys=await list_keys(desk),
        last=await reads.last_calls(desk),
        today=await reads.by_key(desk, 1),
        month=await reads.by_key(desk, 30),
        gone=await leavers(desk),
        budgets=_fullest(await list_budgets(desk, subject=Subject.KEY)),
    )
    asked = Asked(visit.asked("q")[:200], _among(visit.asked("state"), KeyState), _among(visit.asked("quick"), QUICK))
    return visit.page("keys.html", view=keys_view(facts, asked, visit.words, visit.formats))


async def show(visit: Visit) -> Response:
    """One key."""
    return await key_page(visit, await show_key(visit.desk, visit.named("name")))


async def key_page(
    visit: Visit, key: Key, problem: Trouble | None = None, form: Mapping[str, str] = NO_LIMIT
) -> Response:
    """The page of a key; with a refused form it says what is wrong with it."""
    desk = visit.desk
    async with desk.store.read() as look:
        service = await look.get(Service, key.service)
        environment = await look.get(Environment, key.environment)
        broken = breaches(await case_of(look, key, visit.now_ns))
    team, project = (service.team, service.project) if service else ("", "")
    one = OneKey(
        key=key,
        last_ns=(await reads.last_calls(desk)).get(key.id, 0),
        month=(await reads.by_key(desk, 30)).get(key.id, Spent()),
        calls=await reads.latest(desk, Wanted(key=key.id), _CALLS),
        standings=await standings_of(desk, binding(key, service)),
        audit=await reads.changes(desk, key.id, _CHANGES),
        freeze=holding(environment.freezes, visit.now_ns) if environment else None,
        breaches=broken,
        gone=await leavers(desk),
        heirs=[one.name for one in await list_members(desk) if one.state is MemberState.ACTIVE],
        team=team,
        project=project,
        repository=service.repository if service else "",
        on_call=service.on_call if service else "",
    )
    view = key_view(one, visit.words, visit.formats)
    return visit.page("key.html", status=422 if problem else 200, view=view, problem=problem, form=form)


def _among(value: str, known: Iterable[str]) -> str:
    """The value where it is one of those there are; an address that was typed may hold anything."""
    return value if value in list(known) else ""


def _fullest(standings: list[Standing]) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    for one in sorted(standings, key=used):
        found[one.budget.name] = one
    return found
