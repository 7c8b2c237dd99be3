"""What several pages show alike: answers by shape and word, budgets as bars, a chart beside its table, a refusal."""

from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct

from clavero.control.budgets import Standing
from clavero.control.pressure import used
from clavero.domain.budgets import Subject, Window
from clavero.domain.refusals import Refusal
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.console.charts import meter
from clavero.entrypoints.http.console.formats import NOTHING, Formats
from clavero.entrypoints.http.console.messages import Messages

# Inputs that forms show a rule beside; anything else is said at the top of the page.
FIELDS = frozenset({"name", "owner", "service", "team", "models", "limit", "expires", "grace", "reason", "typed"})
_SOON = 0.8
_SPENT = 0.99  # what is left buys hardly a call


class Trouble(Struct, frozen=True):
    """Why a form was refused. `shown` says that a field of the page shows it."""

    field: str
    message: str
    fix: str = ""
    suggestion: str = ""
    shown: bool = False


class Drawing(Struct, frozen=True):
    """A chart for wide and narrow pages, and its figures for those who want them as a table."""

    wide: Markup
    narrow: Markup
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Call(Struct, frozen=True, kw_only=True):
    """One exchange as a row."""

    id: str
    url: str
    time: str
    shape: str
    answer: str
    tone: str
    key: str
    model: str
    input: str
    output: str
    seconds: str
    cost: str
    free: bool
    at: str
    on: bool = False


class BudgetRow(Struct, frozen=True, kw_only=True):
    """One budget as a row."""

    subject: str
    name: str
    url: str
    window: str
    share: str
    tone: str
    meter: Markup
    spent: str
    held: str
    limit: str
    resets: str
    resets_said: str


def trouble(refusal: Refusal, words: Messages) -> Trouble:
    """A refusal in the reader's language: the rule of its field where we have one, else what its code means."""
    suggestion, shown = refusal.suggestion, refusal.field in FIELDS
    special = f"rule.{refusal.field}.{refusal.code}"
    if words.knows(special) and (suggestion or "{suggestion}" not in words.template(special)):
        message = words(special, suggestion=suggestion)
        return Trouble(refusal.field, message, remedy(refusal, words), suggestion, shown)
    return Trouble(refusal.field, said(refusal, words), remedy(refusal, words), suggestion, shown)


def said(refusal: Refusal, words: Messages) -> str:
    """The fact of a refusal; the duties speak English, so other languages say what its code means."""
    if words.language == "en":
        return f"{refusal.message}."
    known = f"refused.{refusal.code}"
    return words(known if words.knows(known) else "refused.refusal", field=refusal.field)


def remedy(refusal: Refusal, words: Messages) -> str:
    """The next step; a command is the same in every language."""
    if words.language == "en" or refusal.fix.startswith("clavero "):
        return _sentence(refusal.fix)
    return words("use.name", name=refusal.suggestion) if refusal.suggestion else ""


def answer(exchange: Exchange, words: Messages) -> tuple[str, str, str]:
    """How an exchange ended: shape, words, tone. Red is a failure, amber a refusal or a recovered failure."""
    status = str(exchange.status) if exchange.status else ""
    if exchange.outcome == "left":
        return "disabled", f"{status or '499'} {words('answer.left')}", "quietly"
    if exchange.code:
        known = f"answer.{exchange.code}"
        said = f"{status} {words(known) if words.knows(known) else exchange.code}".strip()
        return ("triangle", said, "bad") if exchange.status >= 500 else ("diamond", said, "warn")
    if exchange.outcome == "partial":
        return "diamond", f"{status} {words('answer.partial')}", "warn"
    if len(exchange.attempts) > 1:
        return "diamond", f"{status}, {words('answer.attempts', count=len(exchange.attempts))}", "warn"
    return "active", status, ""


def call(exchange: Exchange, words: Messages, formats: Formats, key_name: str, url: str = "") -> Call:
    """An exchange as a row; `url` leads to it in full."""
    shape, said, tone = answer(exchange, words)
    tokens = exchange.tokens
    none = not exchange.cost_n and not tokens.all_input
    return Call(
        id=exchange.request_id,
        url=url,
        time=formats.clock(exchange.at_ns),
        shape=shape,
        answer=said,
        tone=tone,
        key=key_name or exchange.key_id,
        model=exchange.model_served or exchange.model_asked or NOTHING,
        input=NOTHING if none else formats.count(tokens.all_input),
        output=NOTHING if none else formats.count(tokens.all_output),
        seconds=formats.seconds(exchange.total_us),
        cost=formats.money(exchange.cost_n, 6) if exchange.cost_n else "0",
        free=not exchange.cost_n,
        at=str(exchange.at_ns),
    )


def budget_row(standing: Standing, words: Messages, formats: Formats) -> BudgetRow:
    """A budget as a row."""
    budget, name = standing.budget, standing.name
    share = formats.percent(used(standing))
    label = words("budget.label", name=name, share=share, limit=formats.usd(budget.limit_n))
    resets = words("window.never") if budget.window is Window.FOREVER else formats.nearly(standing.resets_ns)
    return BudgetRow(
        subject=words(f"subject.{budget.subject}"),
        name="" if budget.subject is Subject.ORGANISATION else name,
        url=f"/keys/{name}" if budget.subject is Subject.KEY else "",
        window=words(f"window.{budget.window}"),
        share=share,
        tone=tone_of(used(standing)),
        meter=meter(standing.spent_n + standing.lost_n, standing.held_n, budget.limit_n, label),
        spent=formats.money(standing.spent_n),
        held=formats.money(standing.held_n),
        limit=formats.limit(budget.limit_n),
        resets=resets,
        resets_said=words("budget.resets", time=resets) if standing.resets_ns else "",
    )


def tone_of(share: float) -> str:
    """The class of a share: amber when it is nearly spent, red when it is."""
    return "harmed" if share >= _SPENT else "warned" if share >= _SOON else ""


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") or text.startswith("clavero ") else f"{text}."
