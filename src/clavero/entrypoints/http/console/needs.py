"""What a person must do, ordered by time to harm: each line has its cause, its consequence and one button."""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup, escape
from msgspec import Struct

from clavero.control.budgets import Standing
from clavero.control.pressure import used
from clavero.control.tiers import Drift
from clavero.domain.budgets import Subject
from clavero.domain.keys import Key, KeyState, newest, working
from clavero.domain.members import Leaver, transfer_due
from clavero.domain.money import NANO
from clavero.domain.organisation import Tier
from clavero.entrypoints.http.console.figures import Sums
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.messages import Messages

_HOUR = 3600 * NANO
_DAY = 24 * _HOUR
_MOST = 8
_FEWEST_CALLS = 20  # fewer say nothing about a share
_FAILING = 0.05
_SOON = 0.8
_SPENT = 0.99
_FAILURES = frozenset({"upstream_error", "upstream_timeout", "stream_interrupted", "internal_error", "overloaded"})


class Need(Struct, frozen=True, kw_only=True):
    """One line. `tone` is bad (now), warn (soon) or nothing."""

    tone: str
    icon: str
    title: Markup
    detail: Markup
    action: str
    url: str


class Trouble(Struct, frozen=True):
    """Where trouble shows: the last hour and its codes, budgets, keys, records that could not be posted."""

    hour: Sums
    codes: Mapping[str, int]
    standings: Sequence[Standing]
    keys: Sequence[Key]
    rejects: int
    gone: Mapping[str, Leaver] = {}
    drift: Sequence[Drift] = ()


def needs(trouble: Trouble, words: Messages, formats: Formats) -> list[Need]:
    """The lines, what harms first on top."""
    found = [
        *_lost(trouble.rejects, words, formats),
        *_failing(trouble, words, formats),
        *_budgets(trouble.standings, words, formats),
        *_unpriced(trouble.codes, words, formats),
        *_orphans(trouble, words, formats),
        *_drift(trouble.drift, words, formats),
        *_keys(trouble.keys, words, formats),
    ]
    rank = {"bad": 0, "warn": 1, "": 2}
    return sorted(found, key=lambda need: rank[need.tone])[:_MOST]


def _lost(rejects: int, t: Messages, f: Formats) -> Iterator[Need]:
    if rejects:
        yield Need(
            tone="bad",
            icon="alert-triangle",
            title=t.rich("need.rejects", count=rejects, number=f.count(rejects)),
            detail=t.rich("need.rejects_why"),
            action=t("need.show"),
            url="/requests",
        )


def _failing(trouble: Trouble, t: Messages, f: Formats) -> Iterator[Need]:
    code = next((one for one in ("upstream_auth_failed", "no_credential") if trouble.codes.get(one)), "")
    ours = trouble.codes.get(code, 0)
    if code:
        yield Need(
            tone="bad",
            icon="key",
            title=t.rich(f"need.{code}"),
            detail=t.rich("need.auth_why", count=ours, number=f.count(ours)),
            action=t("need.show"),
            url=f"/requests?code={code}",
        )
    calls, failed = trouble.hour.calls, trouble.hour.failed
    if calls >= _FEWEST_CALLS and failed - ours >= _FAILING * calls:
        worst = max((one for one in trouble.codes if one in _FAILURES), key=lambda one: trouble.codes[one], default="")
        yield Need(
            tone="bad",
            icon="alert-triangle",
            title=t.rich("need.failing", share=f.percent(failed / calls)),
            detail=t.rich("need.failing_why", failed=f.count(failed), calls=f.count(calls)),
            action=t("need.show"),
            url=f"/requests?code={worst}" if worst else "/requests",
        )


def _budgets(standings: Sequence[Standing], t: Messages, f: Formats) -> Iterator[Need]:
    for one in standings:
        share = used(one)
        if share < _SOON:
            continue
        spent, budget = share >= _SPENT, one.budget
        name = "" if budget.subject is Subject.ORGANISATION else one.name
        key = one.name if budget.subject is Subject.KEY else ""
        said = {"spent": f.money(one.spent_n), "limit": f.usd(budget.limit_n)}
        until = f.nearly(one.resets_ns) if one.resets_ns else ""
        why = ("need.spent_why" if spent else "need.nearly_why") if until else "need.forever_why"
        yield Need(
            tone="bad" if spent else "warn",
            icon="clock",
            title=t.rich(
                "need.spent" if spent else "need.nearly",
                name=_named(t(f"subject.{budget.subject}"), name),
                share=f.percent(share),
            ),
            detail=t.rich(why, until=until, **said),
            action=t("need.open_key" if key else "need.show_budgets"),
            url=f"/keys/{key}" if key else "/#budgets",
        )


def _named(subject: str, name: str) -> Markup:
    return Markup("{} <code>{}</code>").format(subject, name) if name else escape(subject)


def _unpriced(codes: Mapping[str, int], t: Messages, f: Formats) -> Iterator[Need]:
    count = codes.get("unpriced_model", 0)
    if count:
        yield Need(
            tone="warn",
            icon="coin",
            title=t.rich("need.unpriced", count=count, number=f.count(count)),
            detail=t.rich("need.unpriced_why"),
            action=t("need.show"),
            url="/requests?code=unpriced_model",
        )


def _orphans(trouble: Trouble, t: Messages, f: Formats) -> Iterator[Need]:
    """Keys whose owner has left: soon while they may wait, now once the transfer is overdue."""
    waiting = sorted((due, key.name) for key in trouble.keys if (due := transfer_due(key, trouble.gone)))
    if waiting:
        due, first = waiting[0]
        late = due <= f.now_ns
        yield Need(
            tone="bad" if late else "warn",
            icon="key",
            title=t.rich("need.orphans", count=len(waiting), number=f.count(len(waiting))),
            detail=t.rich("need.orphans_late" if late else "need.orphans_why", name=first, time=f.moment(due)),
            action=t("need.show_keys"),
            url="/keys?quick=orphaned",
        )


def _drift(drift: Sequence[Drift], t: Messages, f: Formats) -> Iterator[Need]:
    if drift:
        first = min(drift, key=lambda one: (one.tier is not Tier.CRITICAL, one.key.name))
        yield Need(
            tone="warn",
            icon="key",
            title=t.rich("need.drift", count=len(drift), number=f.count(len(drift))),
            detail=t.rich("need.drift_why", name=first.key.name, fact=t(f"breach.{first.breach.demand}")),
            action=t("need.open_key"),
            url=f"/keys/{first.key.name}",
        )


def _keys(keys: Sequence[Key], t: Messages, f: Formats) -> Iterator[Need]:
    now = f.now_ns
    ending = sorted(
        (key for key in keys if now < key.expires_ns < now + 7 * _DAY and key.state in _WORKING), key=_expiry
    )
    if ending:
        first = ending[0]
        yield Need(
            tone="warn",
            icon="clock",
            title=t.rich("need.expiring", count=len(ending), number=f.count(len(ending))),
            detail=t.rich("need.expiring_why", name=first.name, time=f.moment(first.expires_ns)),
            action=t("need.open_key"),
            url=f"/keys/{first.name}",
        )
    for key in keys:
        old = [one for one in working(key, now) if one.ends_ns]
        if key.state is KeyState.ROTATING and old and old[-1].ends_ns < now + _DAY:
            yield Need(
                tone="",
                icon="refresh",
                title=t.rich("need.rotating", name=key.name, old=old[-1].number, span=f.span(old[-1].ends_ns)),
                detail=t.rich("need.rotating_why", new=newest(key).number),
                action=t("need.open_key"),
                url=f"/keys/{key.name}",
            )


_WORKING = frozenset({KeyState.ACTIVE, KeyState.ROTATING, KeyState.PENDING})


def _expiry(key: Key) -> int:
    return key.expires_ns
