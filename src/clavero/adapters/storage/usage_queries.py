"""What is asked of usage: reports from the roll-ups, requests from the rows.

A report's time is whole days from `usage_day` and, where it begins or ends within a day, the hours beside them from
`usage_hour`. Requests are looked for where the roll-ups say that there are some: first the days, then the hours.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from clavero.adapters.storage.usage_sql import GROUP, SUMS

# Groups that usage can be told by; the values are columns, never a caller's text.
GROUPS: Final[Mapping[str, str]] = {
    "service": "g.service",
    "model": "g.model_served",
    "feature": "g.feature",
    "key": "g.key_id",
    "owner": "g.owner",
    "team": "g.team",
    "project": "g.project",
    "environment": "g.environment",
    "provider": "g.provider",
    "endpoint": "g.endpoint",
    "day": "r.day",
    "status": "g.status",
}

_TOLD = tuple(name for name in SUMS if name not in {"unbudgeted_n", "charged_n"})
_OWN = (
    "hold_id", "request_id", "at_ns", "day", "key_version", "input", "cached", "cache_write", "output", "reasoning",
    "cost_n", "price_version", "attempts", "first_token_us", "total_us", "overhead_us", "outcome", "streamed",
    "estimated", "final", "client_request_id", "peer", "output_cap", "held_n", "amounts", "flag", "boot_id",
)  # fmt: skip

_WORDS = {
    "{own}": ", ".join(f"u.{name}" for name in _OWN),
    "{named}": ", ".join(f"g.{name}" for name in GROUP if name != "model_asked"),
    "{sums}": ", ".join(SUMS),
    "{added}": ", ".join(f"coalesce(sum(r.{name}), 0) AS {name}" for name in _TOLD)
    + ", coalesce(sum(CASE WHEN g.code <> '' THEN r.calls ELSE 0 END), 0) AS errors",
}


def _said(text: str, words: Mapping[str, str] = _WORDS) -> str:
    """A question with the names of the schema in place of its words."""
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


# The rows of the roll-ups for a time: whole days, and hours before the first and after the last of them.
_PARTS = _said(
    """SELECT day, group_id, {sums} FROM usage_day WHERE day >= :first_day AND day < :end_day
    UNION ALL SELECT hour / 24, group_id, {sums} FROM usage_hour
    WHERE hour >= :since AND hour < :head OR hour >= :tail AND hour < :until"""
)
_BY = "SELECT {columns}, {added} FROM ({parts}) AS r JOIN usage_group g ON g.id = r.group_id GROUP BY {numbers}"
# A row and its group, whole.
WHOLE: Final = _said(
    """SELECT {own}, {named}, CASE WHEN g.model_asked = '' THEN u.asked ELSE g.model_asked END AS model_asked
    FROM usage u CROSS JOIN usage_group g WHERE g.id = u.group_id"""
)
BY_TIME: Final = WHOLE.replace("usage u", "usage u {by_time}")

USAGE: Final[dict[str, str]] = {
    "usage_total": _said(
        """SELECT {added}, coalesce(sum(r.unbudgeted_n), 0) AS unbudgeted_n,
        coalesce(sum(r.charged_n), 0) AS charged_n
        FROM ({parts}) AS r JOIN usage_group g ON g.id = r.group_id""",
        _WORDS | {"{parts}": _PARTS},
    ),
    "oldest_day": "SELECT min(day) AS day FROM usage_day",
    "key_names_of": "SELECT id, name FROM virtual_key WHERE id IN {ids}",
    # Rows of the ledger whose requests fell into these days, where the two books do not say the same. A row may cover
    # more than these days (a month, for ever), so what usage says was charged to it is read from its beginning.
    "charges_begin": "SELECT min(period_start) AS period_start FROM usage_charge WHERE day >= :first AND day < :end",
    "charge_differences": """
        SELECT c.budget_id, c.period_start, c.charged_n, coalesce(l.posted, 0) AS posted, c.first_n FROM (
            SELECT budget_id, period_start, sum(charged_n) AS charged_n,
            sum(CASE WHEN day >= :first AND day < :end THEN first_n ELSE 0 END) AS first_n
            FROM usage_charge WHERE day >= :begin GROUP BY budget_id, period_start
            HAVING sum(CASE WHEN day >= :first AND day < :end THEN charged_n ELSE 0 END) > 0
        ) AS c LEFT JOIN ledger l ON l.budget_id = c.budget_id AND l.period_start = c.period_start
        WHERE coalesce(l.posted, 0) <> c.charged_n ORDER BY c.budget_id, c.period_start""",
    "trace": WHOLE + """ AND u.day {days} AND u.hold_id >= :request AND u.hold_id < :beyond
        AND u.request_id = :request ORDER BY u.final, u.at_ns, u.hold_id""",
    # A model that led nowhere is no member of a group, so such rows are looked at themselves.
    "groups_of": """
        SELECT id FROM usage_group WHERE (:key = '' OR key_id = :key) AND (:service = '' OR service = :service)
        AND (:model = '' OR model_asked = :model OR model_served IN (:model, ''))
        AND (:status = 0 OR status = :status) AND (:code = '' OR code = :code)""",
    "days_of": """
        SELECT DISTINCT day FROM usage_day WHERE day >= :first AND day <= :last AND calls > 0
        AND (:every OR group_id IN {numbers}) ORDER BY day DESC LIMIT :most""",
    "hours_of": """
        SELECT DISTINCT hour FROM usage_hour WHERE hour >= :first AND hour <= :last AND calls > 0
        AND group_id IN {numbers} ORDER BY hour DESC""",
    "requests_between": BY_TIME + """
        AND u.final AND u.day = :day AND u.at_ns >= :since AND u.at_ns < :until
        AND (u.at_ns < :before OR u.at_ns = :before AND u.hold_id < :hold)
        AND (:every OR u.group_id IN {numbers})
        AND (:model = '' OR g.model_served = :model OR g.model_asked = :model OR u.asked = :model)
        ORDER BY u.at_ns DESC, u.hold_id DESC LIMIT :most""",
    "usage_steps": """
        SELECT (minute - :since) / :step AS step, sum(calls) AS calls,
        sum(CASE WHEN code <> '' AND status >= 500 THEN calls ELSE 0 END) AS failed,
        sum(CASE WHEN code <> '' AND status < 500 THEN calls ELSE 0 END) AS refused, sum(cost_n) AS cost_n
        FROM usage_minute WHERE minute >= :since AND minute < :until GROUP BY 1 ORDER BY 1""",
    "usage_codes": """
        SELECT code, sum(calls) AS calls FROM usage_minute WHERE minute >= :since AND code <> ''
        GROUP BY code HAVING sum(calls) > 0""",
    "usage_speed": """
        SELECT u.total_us, u.overhead_us FROM usage u {by_time} CROSS JOIN usage_group g
        WHERE g.id = u.group_id AND g.code = '' AND u.final AND u.at_ns >= :since ORDER BY u.at_ns DESC LIMIT :most""",
    "last_use": "SELECT key_id, last_ns AS at_ns FROM usage_key",
    "last_use_of": "SELECT key_id, last_ns AS at_ns FROM usage_key WHERE key_id = :key",
}  # fmt: skip


def by_groups(groups: Sequence[str]) -> str:
    """The usage report by some of GROUPS, dearest first; KeyError for any other word."""
    words = {
        "{columns}": ", ".join(f"{GROUPS[group]} AS {group}" for group in groups),
        "{numbers}": ", ".join(GROUPS[group] for group in groups),
        "{parts}": _PARTS,
    }
    return _said(_BY, words | _WORDS) + " ORDER BY cost_n DESC, calls DESC, " + words["{numbers}"] + " LIMIT :most"
