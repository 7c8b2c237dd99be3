"""Making a key: the form with its live rule, and the page that shows the secret, once and never again."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from starlette.responses import Response

from clavero.control.budgets import NewBudget, set_budget
from clavero.control.keys import Issued, NewKey, create, list_keys
from clavero.control.members import list_members
from clavero.control.organisation import tree
from clavero.domain.budgets import Policy, Subject, Window
from clavero.domain.catalogue import Language
from clavero.domain.credentials import Model
from clavero.domain.endpoints import Endpoint
from clavero.domain.keys import Key, newest
from clavero.domain.members import MemberState
from clavero.domain.money import NanoUsd, from_usd
from clavero.domain.names import read_name
from clavero.domain.pricing import Price
from clavero.domain.refusals import InvalidValue, Refusal
from clavero.entrypoints.http.console.snippets import Snippet, masked, snippets
from clavero.entrypoints.http.console.views import Trouble, trouble
from clavero.entrypoints.http.console.visit import Visit

_BLANK = {
    "name": "", "owner": "", "service": "", "team": "", "models": "", "limit": "", "window": "day", "policy": "reject",
    "expires": "",
}  # fmt: skip
ENDPOINTS = [endpoint.value for endpoint in Endpoint]
_KNOWN_MODELS = 60


class SecretView(Struct, frozen=True, kw_only=True):
    """The page that shows a secret."""

    name: str
    secret: str
    masked: str
    state: str
    snippets: list[Snippet]
    facts: list[tuple[str, str, bool]]


async def blank(visit: Visit) -> Response:
    """The empty form."""
    return await _form(visit, _BLANK)


async def name_rule(visit: Visit) -> Response:
    """What is wrong with a name, while it is typed."""
    name = visit.asked("name")[:200]
    problem = await _name_trouble(visit, name) if name else None
    return visit.page("name_rule.html", problem=problem, good="" if problem else name)


async def able(visit: Visit) -> Response:
    """What the key of the form will be able to do, while it is filled in."""
    return visit.page("able.html", able=_able(visit, _BLANK | dict(visit.form)))


async def make(visit: Visit) -> Response:
    """Make the key, and its budget where one is asked for; the answer shows the secret and is kept nowhere."""
    form = _BLANK | dict(visit.form)
    try:
        limit = _limit(visit, form["limit"])
        window, policy = window_of(form["window"]), _policy(form["policy"])
        issued = await visit.do(create, wanted=_wanted(form))
    except Refusal as refusal:
        return await _form(visit, form, trouble(refusal, visit.words))
    problem = None
    if limit is not None:
        name = issued.key.name
        budget = NewBudget(subject=Subject.KEY, name=name, window=window, limit_n=limit, policy=policy)
        try:
            await visit.do(set_budget, wanted=budget)
        except Refusal as refusal:  # the key is made: its secret must be seen all the same
            problem, limit = trouble(refusal, visit.words), None
    return secret_page(visit, issued, limit, problem)


def secret_page(visit: Visit, issued: Issued, limit: NanoUsd | None = None, problem: Trouble | None = None) -> Response:
    """The only page with a secret: not stored, not in the history, gone when it is left."""
    key, secret, t, f = issued.key, issued.secret.reveal(), visit.words, visit.formats
    facts = [(t("col.key_id"), str(key.id), True), (t("col.ends_in"), f"…{newest(key).last_four}", True)]
    if limit is not None:
        facts.append(
            (t("col.budget"), f"{f.usd(limit)} · {t('window.' + window_of(visit.form.get('window', 'day')))}", False)
        )
    if len(key.versions) > 1:
        facts.append((t("secret.before"), f.moment(key.versions[-2].ends_ns), False))
    facts.append((t("col.expires"), f.moment(key.expires_ns) if key.expires_ns else t("never"), False))
    view = SecretView(
        name=key.name, secret=secret, masked=masked(secret), state=key.state.value, facts=facts,
        snippets=snippets(visit.console.gateway_url, masked(secret), _model(key), t),
    )  # fmt: skip
    return visit.page("secret.html", view=view, problem=problem)


async def _form(visit: Visit, form: Mapping[str, str], problem: Trouble | None = None) -> Response:
    known = await _known(visit)
    status = 422 if problem else 200
    good = "" if problem or not form["name"] else form["name"]
    values = {"form": form, "problem": problem, "good": good, "endpoints": ENDPOINTS, "known": known}
    return visit.page("key_new.html", status=status, able=_able(visit, form), **values)


async def _known(visit: Visit) -> dict[str, list[str]]:
    """What has been used before, to choose from."""
    whole = await tree(visit.desk)
    async with visit.desk.store.read() as look:
        models = [one.name for one in await look.find(Model)]
        priced = [one.id.partition("/")[2] for one in await look.find(Price)]
    return {
        "owners": [one.name for one in await list_members(visit.desk) if one.state is MemberState.ACTIVE],
        "services": [one.name for one in whole.services],
        "teams": [one.name for one in whole.teams],
        "models-known": sorted({*models, *priced})[:_KNOWN_MODELS],
    }


async def _name_trouble(visit: Visit, name: str) -> Trouble | None:
    try:
        read_name(name, visit.desk.names, [key.name for key in await list_keys(visit.desk)])
    except Refusal as refusal:
        return trouble(refusal, visit.words)
    return None


def _wanted(form: Mapping[str, str]) -> NewKey:
    return NewKey(
        name=form["name"].strip(),
        owner=form["owner"].strip(),
        service=form["service"].strip(),
        team=form["team"].strip(),
        models=_list(form["models"]),
        endpoints=_endpoints(form),
        expires_ns=_expiry(form["expires"]),
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _endpoints(form: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(one for one in ENDPOINTS if form.get(f"endpoint-{one}"))


def _limit(visit: Visit, text: str) -> NanoUsd | None:
    """The amount of a field that may be empty."""
    return limit_of(text, visit.language) if text.strip() else None


def limit_of(text: str, language: Language) -> NanoUsd:
    """An amount of US dollars as the reader's language writes it; `InvalidValue` for anything else."""
    plain = text.strip().removesuffix("USD").removeprefix("$").strip()
    group, point = (",", r"\.") if language == "en" else (r"\.", ",")
    found = re.fullmatch(
        rf"([0-9]{{1,10}}|[0-9]{{1,3}}(?:{group}[0-9]{{3}})+)(?:{point}([0-9]{{1,9}}))?", plain, re.ASCII
    )
    found = found or re.fullmatch(r"([0-9]{1,10})\.([0-9]{1,2})", plain, re.ASCII)  # half of those who read Spanish
    try:
        if found is not None:
            return from_usd(f"{re.sub('[.,]', '', found[1])}.{found[2] or '0'}")
    except ValueError:
        pass  # more than there can be
    raise InvalidValue("limit", "an amount in US dollars", "10" if language == "es" else "10.00")


def window_of(text: str) -> Window:
    """A window by its word."""
    try:
        return Window(text)
    except ValueError:
        raise InvalidValue("window", "day, week, month or forever", "day") from None


def _policy(text: str) -> Policy:
    try:
        return Policy(text)
    except ValueError:
        raise InvalidValue("policy", "reject or clamp", "reject") from None


def _expiry(text: str) -> int:
    """The end of a day, UTC."""
    if not text:
        return 0
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC, hour=0, minute=0, second=0, microsecond=0)
        return int((day + timedelta(days=1)).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        raise InvalidValue("expires", "a date such as 2027-11-18") from None


def _able(visit: Visit, form: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """What the form says, in words; a figure that cannot be read is left to the rule beside its field."""
    t, f = visit.words, visit.formats
    models = ", ".join(_list(form["models"]))
    endpoints = ", ".join(_endpoints(form))
    try:
        limit = _limit(visit, form["limit"])
        expires, window = _expiry(form["expires"]), window_of(form["window"])
    except InvalidValue:
        limit, expires, window = None, 0, Window.DAY
    spend = f"{f.usd(limit)} · {t('window.' + window)}" if limit is not None else t("able.no_limit")
    return [
        (t("able.models"), models or t("able.all_models"), bool(models)),
        (t("able.endpoints"), endpoints or t("able.all_endpoints"), bool(endpoints)),
        (t("able.spend"), spend, False),
        (t("able.until"), f.moment(expires) if expires else t("able.for_ever"), False),
    ]


def _model(key: Key) -> str:
    return next((one for one in key.models if not one.endswith("*")), "gpt-4o-mini")
