"""What was used and what it cost, by any group, beside what the ledger says of the same days."""

import re
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import ConfigDict

from clavero.control import usage
from clavero.domain.budgets import utc
from clavero.domain.refusals import InvalidValue
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Nano, Text, View, instant_ns

routes = router("usage")
TOKENS = ("input", "cached", "cache_write", "output", "reasoning")
_DAY_NS = 86_400 * 1_000_000_000
_HOUR_NS = _DAY_NS // 24
_MOST = 100_000
_SECOND = 1_000_000_000


class TokensView(View):
    """Tokens by kind; the kinds do not overlap."""

    input: int
    cached: int
    cache_write: int
    output: int
    reasoning: int


class FiguresView(View):
    """Sums of one group, with a member for each name in `by`; `key` is the name of a key and `kid` stands beside it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    calls: int
    errors: int
    tokens: TokensView
    cost_nano_usd: Nano
    estimated_nano_usd: Nano


class DifferenceView(View):
    """A row of the ledger that does not say what usage says was charged to it."""

    budget: str
    period: str
    usage_nano_usd: Nano
    ledger_nano_usd: Nano


class UsageView(View):
    """Usage within whole UTC days or hours: `since` is included and `until` is not; `more`: there are more rows.

    `charged` is the cost of what was held on budgets, `ledger` what the ledger has posted for it: they are `equal`.
    `unbudgeted` is the cost of what no budget applied to.
    """

    since: str
    until: str
    by: list[str]
    rows: list[FiguresView]
    more: bool
    total: FiguresView
    charged_nano_usd: Nano
    ledger_nano_usd: Nano
    unbudgeted_nano_usd: Nano
    equal: bool
    differences: list[DifferenceView]


@routes.get("/usage")
async def report(
    caller: Annotated[Caller, Depends(Needs("usage.read"))],
    by: Annotated[Text, "groups, with commas between"] = "service",
    since: Text = "7d",
    until: Text = "",
    limit: Annotated[int, Query(ge=1, le=_MOST)] = usage.MOST_ROWS,
) -> UsageView:
    """Usage by service, model, feature, key, owner, team, project, environment, provider, endpoint, day or status.

    Whole UTC days; whole UTC hours where `since` or `until` says hours (`36h`, `2026-11-23T14:00`). The dearest rows up
    to `limit`; `total` is of all. What is older than sums are kept is not in it, and `since` says so.
    """
    since_ns = instant_ns(since, "since", caller.now_ns)
    until_ns = instant_ns(until, "until", caller.now_ns) if until else caller.now_ns + 1
    if since_ns < 0:
        raise InvalidValue("since", "a day after 1970-01-01", "7d")
    unit_ns = _HOUR_NS if _says_hours(since) or _says_hours(until) else _DAY_NS
    if since_ns // unit_ns * unit_ns >= until_ns:
        raise InvalidValue("until", "after since")
    groups = [group.strip() for group in by.split(",") if group.strip()]
    unit_s = unit_ns // _SECOND
    found = await usage.report(caller.desk, groups, since_ns // _SECOND, -(-until_ns // _SECOND), unit_s, limit)
    return UsageView(
        since=utc(found.since_s),
        until=utc(found.until_s),
        by=found.by,
        rows=[_figures(row, found.by) for row in found.rows],
        more=found.more,
        total=_figures(found.total, []),
        charged_nano_usd=found.charged_n,
        ledger_nano_usd=found.ledger_n,
        unbudgeted_nano_usd=found.unbudgeted_n,
        equal=found.equal,
        differences=[
            DifferenceView(
                budget=one.budget, period=utc(one.period), usage_nano_usd=one.usage_n, ledger_nano_usd=one.ledger_n
            )
            for one in found.differences
        ],
    )


def _says_hours(text: str) -> bool:
    """Whether a moment or a length of time is finer than a day."""
    if re.fullmatch(r"\s*(\d+[smhdw])+\s*", text):
        return bool(re.search(r"[smh]", text))
    return bool(re.search(r"\dT\d", text)) and not re.search(r"T00(:00)*(\.0*)?(Z|\+00:00)?\s*$", text)


def tokens_of(row: dict[str, Any]) -> TokensView:
    """The tokens of a row of usage."""
    return TokensView(**{kind: int(row[kind] or 0) for kind in TOKENS})


def _figures(row: dict[str, Any], groups: list[str]) -> FiguresView:
    named = {name: row[name] for name in groups}
    if "key" in named:
        named |= {"key": row["key_name"] or row["key"], "kid": row["key"]}
    return FiguresView(
        **named,
        calls=row["calls"] or 0,
        errors=row["errors"] or 0,
        tokens=tokens_of(row),
        cost_nano_usd=row["cost_n"],
        estimated_nano_usd=row["estimated_n"],
    )
