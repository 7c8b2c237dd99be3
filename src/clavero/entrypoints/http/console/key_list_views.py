"""What the list of keys shows: every key with its state, its use and its budget, what wants a look first."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from clavero.control.budgets import Standing
from clavero.control.pressure import used
from clavero.domain.keys import Key, KeyState, newest, working
from clavero.domain.members import Leaver, transfer_due
from clavero.domain.money import NANO
from clavero.entrypoints.http.console.charts import meter
from clavero.entrypoints.http.console.formats import NOTHING, Formats
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.reads import Spent
from clavero.entrypoints.http.console.views import tone_of

_DAY = 86_400 * NANO
_OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})
_IDLE_NS = 30 * _DAY
_SHOWN = 200
QUICK = ("unused", "full", "orphaned")  # quick filters


class KeyRow(Struct, frozen=True, kw_only=True):
    """One key of the list."""

    name: str
    versions: str
    state: str
    owner: str
    scopes: str
    last: str
    idle: bool
    calls: str
    spend: str
    used: str
    tone: str
    meter: Markup
    due: str
    due_tone: str


class KeysView(Struct, frozen=True, kw_only=True):
    """The list and its filters."""

    summary: str
    rows: Sequence[KeyRow]
    query: str
    state: str
    states: Sequence[tuple[str, str]]
    quick: Sequence[tuple[str, int]]
    chosen: str
    filtered: bool
    what: str
    range: str


class Asked(Struct, frozen=True):
    """Which keys: words in the name, id, owner, service or last four; a state; a quick filter."""

    query: str = ""
    state: str = ""
    quick: str = ""


class KeyFacts(Struct, frozen=True, kw_only=True):
    """What the list is made of, by key id."""

    keys: Sequence[Key]
    last: Mapping[str, int]
    today: Mapping[str, Spent]
    month: Mapping[str, Spent]
    budgets: Mapping[str, Standing]  # the most used budget of each key
    gone: Mapping[str, Leaver] = {}  # who has left, by name


def keys_view(facts: KeyFacts, asked: Asked, t: Messages, f: Formats) -> KeysView:
    """The page; retired keys are shown only when they are asked for."""
    living = [key for key in facts.keys if key.state is not KeyState.RETIRED]
    idle = [key for key in living if _idle(key, facts, f)]
    full = [key for key in living if _share(key, facts) >= 0.8]
    orphaned = [key for key in living if transfer_due(key, facts.gone)]
    chosen = {"unused": idle, "full": full, "orphaned": orphaned}.get(asked.quick)
    found = chosen if chosen is not None else [key for key in facts.keys if _fits(key, asked)]
    found = sorted(found, key=lambda key: (_attention(key, facts, f), key.name))
    counts = {state: sum(key.state is state for key in facts.keys) for state in KeyState}
    said = [t(f"keys.count.{state}", count=count, number=f.count(count)) for state, count in counts.items() if count]
    total = t("keys.total", count=len(facts.keys), number=f.count(len(facts.keys)))
    words = [
        asked.query,
        t(f"state.{asked.state}") if asked.state else "",
        t(f"keys.quick.{asked.quick}") if asked.quick else "",
    ]
    quick = (("orphaned", orphaned), ("unused", idle), ("full", full))
    return KeysView(
        summary=f"{total}: {', '.join(said)}." if said else t("keys.none"),
        rows=[_row(key, facts, t, f) for key in found[:_SHOWN]],
        query=asked.query,
        state=asked.state,
        states=[("", t("keys.not_retired")), *((state.value, t(f"state.{state}")) for state in KeyState)],
        quick=[(name, len(keys)) for name, keys in quick if keys],
        chosen=asked.quick,
        filtered=bool(asked.query or asked.state or asked.quick),
        what=", ".join(word for word in words if word),
        range=t("keys.range", shown=f.count(min(len(found), _SHOWN)), number=f.count(len(found))) if found else "",
    )


def _fits(key: Key, asked: Asked) -> bool:
    if key.state != asked.state if asked.state else key.state is KeyState.RETIRED:
        return False
    fields = (key.name, key.owner, key.service, key.id, *(version.last_four for version in key.versions))
    wanted = asked.query.removeprefix("…")
    return any(wanted.lower() in field.lower() for field in fields)


def _idle(key: Key, facts: KeyFacts, f: Formats) -> bool:
    since = facts.last.get(key.id, 0) or key.created_ns
    return key.state not in _OVER and f.now_ns - since > _IDLE_NS


def _share(key: Key, facts: KeyFacts) -> float:
    standing = facts.budgets.get(key.id)
    return used(standing) if standing else 0.0


def _attention(key: Key, facts: KeyFacts, f: Formats) -> int:
    """What wants a look comes first, what is over last."""
    if key.state in _OVER:
        return 9
    if transfer_due(key, facts.gone):
        return 0
    if _share(key, facts) >= 0.8 or 0 < key.expires_ns < f.now_ns + 7 * _DAY:
        return 0
    order = {KeyState.ROTATING: 1, KeyState.ACTIVE: 2, KeyState.PENDING: 3, KeyState.DISABLED: 4}
    return order[key.state]


def _row(key: Key, facts: KeyFacts, t: Messages, f: Formats) -> KeyRow:
    last = facts.last.get(key.id, 0)
    standing = facts.budgets.get(key.id)
    share = _share(key, facts)
    said = f.percent(share) if standing else NOTHING
    bar = meter(standing.spent_n, standing.held_n, standing.budget.limit_n, said) if standing else Markup()
    numbers = " ".join(f"v{version.number}" for version in working(key, f.now_ns)) or f"v{newest(key).number}"
    due, due_tone = _due(key, t, f)
    return KeyRow(
        name=key.name,
        versions=f"{numbers} · …{newest(key).last_four}",
        state=key.state.value,
        owner=t("key.owner_left", name=key.owner) if transfer_due(key, facts.gone) else key.owner,
        scopes=_short(key.models, t),
        last=f.span(last) if last else t("never"),
        idle=_idle(key, facts, f) or not last,
        calls=f.count(facts.today.get(key.id, Spent()).calls),
        spend=f.money(facts.month.get(key.id, Spent()).cost_n, f.places(one.cost_n for one in facts.month.values())),
        used=said,
        tone=tone_of(share),
        meter=bar,
        due=due,
        due_tone=due_tone,
    )


def _due(key: Key, t: Messages, f: Formats) -> tuple[str, str]:
    if not key.expires_ns:
        return t("never"), "faint"
    if key.expires_ns <= f.now_ns:
        return t("expired"), "harmed"
    soon = key.expires_ns < f.now_ns + 7 * _DAY and key.state not in _OVER
    return t("in_span", span=f.span(key.expires_ns)), "warned" if soon else ""


def _short(names: Sequence[str], t: Messages) -> str:
    if not names:
        return t("scopes.all")
    return names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"
