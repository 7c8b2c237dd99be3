"""What the page of one key shows: its state and flags, its life, versions, calls, budgets, scopes, changes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from markupsafe import Markup
from msgspec import Struct

from clavero.control.budgets import Standing
from clavero.domain.audit import AuditRow
from clavero.domain.budgets import Window, period_start
from clavero.domain.freezes import Freeze
from clavero.domain.keys import Key, KeyState, KeyVersion, newest, working
from clavero.domain.members import Leaver, transfer_due
from clavero.domain.money import NANO
from clavero.domain.tiers import Breach
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.console.formats import NOTHING, Formats
from clavero.entrypoints.http.console.lanes import Epoch, Life, life_line
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.reads import Spent
from clavero.entrypoints.http.console.views import BudgetRow, Call, budget_row, call

_DAY = 86_400 * NANO
_OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})
_IDLE_NS = 30 * _DAY
_SHOWN = 200
_MONTHS = 8
Fact = tuple[str, str, bool]  # name, value, whether it is code


class VersionRow(Struct, frozen=True):
    """One version of a key."""

    number: int
    state: str
    ends: str
    issued: str
    until: str
    until_short: str
    tone: str


class AuditLine(Struct, frozen=True):
    """One change of a key."""

    said: str
    reason: str
    at: str


class KeyView(Struct, frozen=True, kw_only=True):
    """One key in full."""

    name: str
    state: str
    state_said: str
    facts: Sequence[str]
    reason_title: str
    reason: str
    can_rotate: bool
    can_disable: bool
    can_enable: bool
    can_revoke: bool
    can_edit: bool
    frozen: str
    breaches: Sequence[tuple[str, str]]
    transfer: Markup
    heirs: Sequence[str]
    life: Markup
    life_said: str
    versions: Sequence[VersionRow]
    traffic_said: str
    calls: Sequence[Call]
    budgets: Sequence[BudgetRow]
    scopes: Sequence[Fact]
    audit: Sequence[AuditLine]


class OneKey(Struct, frozen=True, kw_only=True):
    """What the page of one key is made of; `team` to `on_call` are its service's."""

    key: Key
    last_ns: int
    month: Spent
    calls: Sequence[Exchange]
    standings: Sequence[Standing]
    audit: Sequence[AuditRow]
    team: str
    project: str
    repository: str = ""
    on_call: str = ""
    freeze: Freeze | None = None  # the window that holds in its environment
    breaches: Sequence[Breach] = ()  # demands of its tier that it does not meet
    gone: Mapping[str, Leaver] = {}  # who has left, by name
    heirs: Sequence[str] = ()  # who could own it


def key_view(one: OneKey, t: Messages, f: Formats) -> KeyView:
    """The page of a key."""
    key, state = one.key, one.key.state
    over = state in _OVER
    last = t("key.last", span=f.span(one.last_ns)) if one.last_ns else t("key.never")
    due = transfer_due(key, one.gone)
    owner = t("key.owner_left", name=key.owner) if due else key.owner
    facts = [t("key.owner", name=owner), t("key.service", name=key.service), last]
    return KeyView(
        name=key.name,
        state=state.value,
        state_said=t(f"state.{state}"),
        facts=facts,
        reason_title=t(f"key.why.{state}") if t.knows(f"key.why.{state}") else "",
        reason=key.reason if state in {KeyState.DISABLED, *_OVER} else "",
        can_rotate=state in {KeyState.PENDING, KeyState.ACTIVE, KeyState.ROTATING},
        can_disable=state in {KeyState.PENDING, KeyState.ACTIVE, KeyState.ROTATING},
        can_enable=state is KeyState.DISABLED,
        can_revoke=not over,
        can_edit=not over,
        frozen=_frozen(one, t, f) if not over else "",
        breaches=[(t(f"breach.{breach.demand}"), breach.fix) for breach in one.breaches] if not over else [],
        transfer=t.rich("key.transfer_due", name=key.owner, time=f.moment(due)) if due else Markup(),
        heirs=[name for name in one.heirs if name != key.owner] if due else [],
        life=_life(key, t, f),
        life_said=_life_said(key, t, f),
        versions=[_version(key, version, t, f) for version in reversed(key.versions)],
        traffic_said=t(
            "key.month",
            count=one.month.calls,
            number=f.count(one.month.calls),
            spend=f.usd(one.month.cost_n, f.places([one.month.cost_n])),
        ),
        calls=[call(exchange, t, f, key.name) for exchange in one.calls],
        budgets=[budget_row(standing, t, f) for standing in one.standings],
        scopes=_scopes(one, t, f),
        audit=[AuditLine(_said(row, t), row.reason, f.nearly(row.at_ns)) for row in one.audit],
    )


def _frozen(one: OneKey, t: Messages, f: Formats) -> str:
    window = one.freeze
    if window is None:
        return ""
    return t("key.frozen", name=one.key.environment, time=f.moment(window.until_ns), reason=window.reason)


def _version(key: Key, version: KeyVersion, t: Messages, f: Formats) -> VersionRow:
    ended = key.state in _OVER or (0 < version.ends_ns <= f.now_ns)
    ending = bool(version.ends_ns) and not ended
    state = "revoked" if key.state is KeyState.REVOKED else "retired" if ended else "disabled"
    if not ended and key.state is not KeyState.DISABLED:
        state = "rotating" if ending else "active" if key.state is not KeyState.PENDING else "pending"
    never = NOTHING if ended else t("version.open")
    return VersionRow(
        number=version.number,
        state=state,
        ends=version.last_four,
        issued=f.minute(version.created_ns),
        until=f.minute(version.ends_ns) if version.ends_ns else never,
        until_short=f.nearly(version.ends_ns) if version.ends_ns else never,
        tone="warned" if ending else "",
    )


def _scopes(one: OneKey, t: Messages, f: Formats) -> list[Fact]:
    key = one.key
    return [
        (t("col.models"), ", ".join(key.models) or t("scopes.all"), bool(key.models)),
        (t("col.endpoints"), ", ".join(key.endpoints) or t("scopes.all"), bool(key.endpoints)),
        (t("col.environment"), key.environment, True),
        (t("col.project"), f"{one.project} / {one.team}", False),
        *([(t("col.on_call"), one.on_call, False)] if one.on_call else []),
        *([(t("col.repository"), one.repository, True)] if one.repository else []),
        (t("col.key_id"), key.id, True),
        (
            t("col.output"),
            t("tokens", count=key.default_output_tokens, number=f.count(key.default_output_tokens)),
            False,
        ),
        (t("col.created"), f.moment(key.created_ns), False),
        (t("col.expires"), f.moment(key.expires_ns) if key.expires_ns else t("never"), False),
    ]


def _said(row: AuditRow, t: Messages) -> str:
    key = f"audit.{row.action}"
    return t(key, actor=row.actor) if t.knows(key) else f"{row.actor}: {row.action}"


def _life_said(key: Key, t: Messages, f: Formats) -> str:
    old = [version for version in working(key, f.now_ns) if version.ends_ns]
    if key.state is KeyState.ROTATING and old:
        return t("life.rotating", old=old[-1].number, new=newest(key).number, time=f.moment(old[-1].ends_ns))
    return t(f"life.{key.state}", number=newest(key).number)


def _life(key: Key, t: Messages, f: Formats) -> Markup:
    now, start = f.now_ns, key.created_ns
    ahead = max(now - start, _DAY) // 5
    ends = [version.ends_ns for version in key.versions if version.ends_ns]
    end = max([now + ahead, *(one for one in ends if one < now + 120 * _DAY)])
    expires = key.expires_ns if key.expires_ns and key.expires_ns <= now + max(now - start, 60 * _DAY) else 0
    end = max(end, expires)
    lives = [_lane(key, place, end, f, t) for place in range(len(key.versions))][-6:]
    first = min(now - 5 * ahead, *(life.start for life in lives))
    epoch = Epoch(
        start=first, end=end, now=now, now_name=t("now"), x_names=_dates(first, end - (end - first) // 20, f),
        expires=expires, expires_name=t("life.expires", date=f.day(expires)) if expires else "",
    )  # fmt: skip
    state = t(f"state.{key.state}")
    return life_line(t("life.label", count=len(key.versions), state=state), epoch, lives)


def _lane(key: Key, place: int, end: int, f: Formats, t: Messages) -> Life:
    version = key.versions[place]
    follower = key.versions[place + 1] if place + 1 < len(key.versions) else None
    stop = version.ends_ns or (f.now_ns if key.state in _OVER else end)
    overlap = max(0, stop - follower.created_ns) if follower else 0
    over = key.state in _OVER or (0 < version.ends_ns <= f.now_ns)
    name = t("life.ended", number=version.number) if over else f"v{version.number}"
    return Life(name=name, start=version.created_ns, end=stop, overlap=overlap, css="rest" if over else "main")


def _dates(start: int, end: int, f: Formats) -> list[tuple[int, str]]:
    """Ticks with their words: hours of a young key, days, months of an old one."""
    span = end - start
    if span <= 3 * _DAY:
        step = next(one for one in (1, 2, 4, 6, 12) if span <= _MONTHS * one * 3600 * NANO or one == 12) * 3600 * NANO
        first = start - start % step + step
        return [(at, f.hour(at) if at % _DAY else f.short_day(at)) for at in range(first, end, step)]
    if span <= 120 * _DAY:
        step = max(1, -(-span // (_MONTHS * _DAY))) * _DAY
        return [(at, f.short_day(at)) for at in range(start - start % _DAY + _DAY, end, step)]
    return [(at, f.month(at)) for at in _months(start, end)]


def _months(start: int, end: int) -> list[int]:
    every = max(1, -(-(end - start) // (_MONTHS * 30 * _DAY)))
    found: list[int] = []
    at = start
    while True:
        later = datetime.fromtimestamp(at // NANO, UTC).replace(day=28).timestamp() + 6 * 86_400
        at = period_start(Window.MONTH, int(later) * NANO) * NANO
        if at >= end:
            return found[::every]
        found.append(at)
