"""What is done to a key: rotate, disable, enable, revoke, a budget. What ends it says first what will break."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from starlette.responses import Response

from clavero.control.budgets import NewBudget, set_budget
from clavero.control.keys import disable, enable, revoke, rotate, show_key, transfer
from clavero.control.requests import Wanted
from clavero.domain.budgets import Subject
from clavero.domain.keys import Key, newest
from clavero.domain.refusals import InvalidValue, NotFound, Refusal
from clavero.domain.units import parse_duration
from clavero.entrypoints.http.console import reads
from clavero.entrypoints.http.console.key_forms import limit_of, secret_page, window_of
from clavero.entrypoints.http.console.key_pages import key_page
from clavero.entrypoints.http.console.views import Trouble, trouble
from clavero.entrypoints.http.console.visit import Visit

_HOUR = 3600 * 1_000_000_000
_MOST = 500
_SHOWN = 3
VERBS = {"rotate": "24h", "disable": "", "revoke": ""}  # and the grace that is offered


class AskView(Struct, frozen=True, kw_only=True):
    """One question before an act."""

    name: str
    verb: str
    title: str
    effect: str
    facts: Sequence[tuple[str, str]]
    keep: str
    act: str


async def ask(visit: Visit) -> Response:
    """The question, as a page or, with `part`, as what a dialog holds."""
    verb = _verb(visit)
    key = await show_key(visit.desk, visit.named("name"))
    return await _asked(visit, key, verb, {"reason": "", "grace": VERBS[verb]})


async def act(visit: Visit) -> Response:
    """Do it; a refusal comes back beside its field."""
    verb = _verb(visit)
    key = await show_key(visit.desk, visit.named("name"))
    form = {"reason": visit.form.get("reason", "").strip(), "grace": visit.form.get("grace", "24h")}
    try:
        return await _do(visit, key, verb, form)
    except Refusal as refusal:
        return await _asked(visit, key, verb, form, trouble(refusal, visit.words))


async def bring_back(visit: Visit) -> Response:
    """Enable a key."""
    key = await show_key(visit.desk, visit.named("name"))
    try:
        await visit.do(enable, name=key.name)
    except Refusal as refusal:
        return await key_page(visit, key, trouble(refusal, visit.words))
    return visit.go(f"/keys/{key.name}", "enabled")


async def give_away(visit: Visit) -> Response:
    """Give a key to another owner."""
    key = await show_key(visit.desk, visit.named("name"))
    try:
        await visit.do(transfer, name=key.name, to=visit.form.get("to", ""))
    except Refusal as refusal:
        return await key_page(visit, key, trouble(refusal, visit.words))
    return visit.go(f"/keys/{key.name}", "transferred")


async def set_limit(visit: Visit) -> Response:
    """Give a key a budget, or change the one of that window."""
    key = await show_key(visit.desk, visit.named("name"))
    form = {"limit": visit.form.get("limit", ""), "window": visit.form.get("window", "day")}
    try:
        limit = limit_of(form["limit"], visit.language)
        wanted = NewBudget(subject=Subject.KEY, name=key.name, window=window_of(form["window"]), limit_n=limit)
        await visit.do(set_budget, wanted=wanted)
    except Refusal as refusal:
        return await key_page(visit, key, trouble(refusal, visit.words), form)
    return visit.go(f"/keys/{key.name}", "budget")


async def _do(visit: Visit, key: Key, verb: str, form: Mapping[str, str]) -> Response:
    reason = form["reason"]
    if verb == "rotate":
        issued = await visit.do(rotate, name=key.name, grace_ns=_grace(form["grace"]), reason=reason)
        return secret_page(visit, issued)
    if verb == "disable":
        await visit.do(disable, name=key.name, reason=reason)
        return visit.go(f"/keys/{key.name}", "disabled")
    if not reason:
        raise InvalidValue("reason", "given: the audit keeps it")
    if visit.form.get("typed", "").strip() != key.name:
        raise InvalidValue("typed", f"{key.name}, exactly")
    await visit.do(revoke, name=key.name, reason=reason)
    return visit.go(f"/keys/{key.name}", "revoked")


async def _asked(
    visit: Visit, key: Key, verb: str, form: Mapping[str, str], problem: Trouble | None = None
) -> Response:
    t = visit.words
    number = newest(key).number
    view = AskView(
        name=key.name,
        verb=verb,
        title=t(f"ask.{verb}", name=key.name),
        effect=t(f"ask.{verb}_effect", next=number + 1),
        facts=[] if verb == "rotate" else await _breaks(visit, key),
        keep=t("cancel") if verb == "rotate" else t("ask.keep"),
        act=t(f"ask.{verb}_act"),
    )
    template = "ask_part.html" if visit.asked("part") else "ask.html"
    return visit.page(template, status=422 if problem else 200, view=view, form=form, problem=problem)


async def _breaks(visit: Visit, key: Key) -> list[tuple[str, str]]:
    """Who has called with the key in the last hour."""
    t, f = visit.words, visit.formats
    since = visit.now_ns - _HOUR
    calls = [one for one in await reads.latest(visit.desk, Wanted(key=key.id), _MOST) if one.at_ns >= since]
    if not calls:
        last = (await reads.last_calls(visit.desk)).get(key.id, 0)
        said = t("ask.breaks_none", span=f.span(last)) if last else t("ask.breaks_never")
        return [(t("ask.breaks"), said)]
    origins = list(dict.fromkeys(one.peer for one in calls if one.peer))
    names = ", ".join(origins[:_SHOWN]) + (f" +{len(origins) - _SHOWN}" if len(origins) > _SHOWN else "")
    count = f.count(len(calls)) + ("+" if len(calls) == _MOST else "")
    return [(t("ask.breaks"), t("ask.breaks_calls", count=len(calls), number=count, origins=names))]


def _verb(visit: Visit) -> str:
    verb = visit.named("verb")
    if verb not in VERBS:
        raise NotFound("page", verb)
    return verb


def _grace(text: str) -> int:
    try:
        return parse_duration(text) * 1_000_000_000
    except ValueError:
        raise InvalidValue("grace", "a length of time such as 24h", "24h") from None
