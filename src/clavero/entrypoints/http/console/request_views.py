"""What the pages of requests show: the latest by filter, and one exchange in full with its money."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from clavero.domain.catalogue import entry
from clavero.domain.pricing import Price, cost
from clavero.domain.usage import Exchange, Tokens
from clavero.entrypoints.http.console.formats import NOTHING, Formats
from clavero.entrypoints.http.console.lanes import Lane, waterfall
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.reads import Leg
from clavero.entrypoints.http.console.views import Call, answer, call

Fact = tuple[str, str, bool]  # name, value, whether it is code
STATUSES = (200, 400, 401, 403, 404, 429, 499, 500, 502, 503, 504)


class Filter(Struct, frozen=True):
    """One filter, its choice and what can be chosen."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]]


class CostLine(Struct, frozen=True):
    """One part of a price."""

    name: str
    tokens: str
    price: str
    cost: str


class ExchangeView(Struct, frozen=True, kw_only=True):
    """One exchange in full."""

    id: str
    shape: str
    answer: str
    tone: str
    facts: Sequence[str]
    problem: str
    remedy: str
    waterfall: Markup
    lines: Sequence[CostLine]
    tokens: str
    cost: str
    money: str
    about: Sequence[Fact]


class RequestsView(Struct, frozen=True, kw_only=True):
    """The list, and the exchange that is open."""

    summary: str
    rows: Sequence[Call]
    filters: Sequence[Filter]
    filtered: bool
    what: str
    tail: str  # where news come from; "" for a page of older ones
    cursor: str
    list: str
    older: str
    open: ExchangeView | None
    try_it: str


class Told(Struct, frozen=True):
    """What one exchange is told by: its legs, the key's name, what budgets are called, the price of its model."""

    legs: Sequence[Leg]
    key_name: str
    budgets: Mapping[str, str]
    price: Price | None


def address(path: str, chosen: Mapping[str, str], **more: str) -> str:
    """A path with the filters that are set."""
    query = urlencode({name: value for name, value in {**chosen, **more}.items() if value})
    return f"{path}?{query}" if query else path


def rows(
    found: Sequence[Exchange],
    names: Mapping[str, str],
    chosen: Mapping[str, str],
    opened: str,
    told: tuple[Messages, Formats],
) -> list[Call]:
    """Exchanges as rows that keep the filters when one is opened."""
    made = []
    for one in found:
        row = call(one, *told, names.get(one.key_id, ""), address(f"/requests/{one.request_id}", chosen))
        made.append(replace(row, on=one.request_id == opened))
    return made


def exchange_view(told: Told, t: Messages, f: Formats) -> ExchangeView:
    """One exchange in full."""
    last = told.legs[-1].exchange
    shape, said, tone = answer(last, t)
    problem = entry(last.code, t.language) if last.code else None
    explained = problem.explained() if problem else None
    whole = sum(leg.exchange.cost_n for leg in told.legs)
    tokens = [leg.exchange.tokens for leg in told.legs]
    lines = [line for leg in told.legs for line in _lines(leg.exchange, told.price, t, f)]
    return ExchangeView(
        id=last.request_id,
        shape=shape,
        answer=said,
        tone=tone,
        facts=_facts(last, t, f),
        problem=f"{explained.fact.rstrip('.')}." if explained else last.code,
        remedy=f"{explained.cause} {explained.fix}" if explained else "",
        waterfall=_waterfall(last, t, f) if last.attempts else Markup(),
        lines=lines,
        tokens=f.count(sum(one.all_input + one.all_output for one in tokens)),
        cost=f.money(whole, 6),
        money=_money(told, whole, t, f),
        about=_about(last, told, t),
    )


def _facts(last: Exchange, t: Messages, f: Formats) -> list[str]:
    facts = [last.endpoint or NOTHING, t("exchange.streamed") if last.streamed else "", f.took(last.total_us)]
    if last.first_token_us:
        facts.append(t("exchange.first", time=f.took(last.first_token_us)))
    facts.append(t("figure.ours", time=f.took(last.overhead_us)))
    return [fact for fact in facts if fact]


def _waterfall(last: Exchange, t: Messages, f: Formats) -> Markup:
    lanes = [Lane(name=t("exchange.gateway"), start=0, end=last.overhead_us, css="idle", said=f.took(last.overhead_us))]
    final = len(last.attempts)
    for number, attempt in enumerate(last.attempts, 1):
        if attempt.waited_us:
            begun = attempt.started_us - attempt.waited_us
            lanes.append(
                Lane(
                    name=t("exchange.wait"),
                    start=max(0, begun),
                    end=attempt.started_us,
                    css="idle",
                    said=f.took(attempt.waited_us),
                )
            )
        failed = bool(attempt.code) or attempt.status >= 400 or not attempt.status
        css = ("bad" if number == final else "warn") if failed else "main"
        said = str(attempt.status or t("exchange.silent")) if failed else f.took(attempt.ended_us - attempt.started_us)
        first = (
            (last.first_token_us or attempt.first_byte_us) if number == final and not failed and last.streamed else 0
        )
        name = f"{number} {attempt.provider}"
        lanes.append(Lane(name=name, start=attempt.started_us, end=attempt.ended_us, first=first, css=css, said=said))
    label = t("exchange.waterfall_label", count=final, time=f.took(last.total_us))
    return waterfall(label, lanes, lambda value: f"{f.number(value, 0 if value == int(value) else 2)} s")


def _lines(one: Exchange, price: Price | None, t: Messages, f: Formats) -> list[CostLine]:
    """The parts of the price; unit prices only where they make exactly what was settled."""
    tokens = one.tokens
    known = price is not None and price.version == one.price_version and not one.estimated
    exact = known and price is not None and cost(price, tokens) == one.cost_n
    units = _units(price, tokens) if exact and price is not None else (None,) * 4
    amounts = (tokens.input, tokens.cached, tokens.cache_write, tokens.all_output)
    names = ("line.input", "line.cached", "line.written", "line.output")
    return [
        CostLine(
            t(name),
            f.count(amount),
            NOTHING if unit is None else f.money(unit, 3),
            NOTHING if unit is None else f.money(-(-amount * unit // 1_000_000), 6),
        )
        for name, amount, unit in zip(names, amounts, units, strict=True)
        if amount
    ]


def _units(price: Price, tokens: Tokens) -> tuple[int, int, int, int]:
    rate = price
    for tier in price.tiers:
        if tokens.all_input > tier.above:
            rate = tier  # type: ignore[assignment] # both have the four rates
    return rate.input, rate.cached or rate.input, rate.cache_write or rate.input, rate.output


def _money(told: Told, whole: int, t: Messages, f: Formats) -> str:
    last = told.legs[-1].exchange
    held = sum(leg.exchange.held_n for leg in told.legs)
    said = []
    if held:
        said.append(t("exchange.held", held=f.money(held, 6), back=f.money(max(0, held - whole), 6)))
    charged = list(dict.fromkeys(budget for leg in told.legs for budget, _, _ in leg.amounts))
    said.append(
        t("exchange.charged", names=", ".join(told.budgets.get(one, one) for one in charged))
        if charged
        else t("exchange.uncharged")
    )
    if last.price_version:
        said.append(t("exchange.prices", version=last.price_version))
    if last.estimated:
        said.append(t("exchange.estimated"))
    return " ".join(said)


def _about(last: Exchange, told: Told, t: Messages) -> list[Fact]:
    version = f" v{last.key_version}" if last.key_version else ""
    asked = last.model_asked
    served = f"{last.provider}/{last.model_served}" if last.provider else NOTHING
    facts = [
        (t("col.key"), f"{told.key_name or last.key_id}{version}", True),
        (t("col.service"), " / ".join(filter(None, (last.service, last.project, last.team))), False),
        (t("col.asked"), asked or NOTHING, True),
        (t("col.served"), served, True),
        (t("col.feature"), last.feature, True),
        (t("col.address"), last.peer, True),
        (t("col.cap"), str(last.output_cap) if last.output_cap else "", False),
        (t("col.client_id"), last.client_request_id, True),
        (t("col.code"), last.code, True),
    ]
    return [fact for fact in facts if fact[1]]
