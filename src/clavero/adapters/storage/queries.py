"""The questions that duties ask by name, and the few statements that they run: portable SQL, written here alone."""

from collections.abc import Mapping

from clavero.adapters.storage.ledger_sql import APPLY_LIMIT, CLOSE_BUDGET, Dialect
from clavero.adapters.storage.rows import REGISTRY

STATEMENTS = {"apply_limit": APPLY_LIMIT, "close_budget": CLOSE_BUDGET}

# Groups that usage can be told by; the values are columns of `usage`, never a caller's text.
GROUPS: Mapping[str, str] = {
    "service": "service",
    "model": "model_served",
    "feature": "feature",
    "key": "key_id",
    "owner": "owner",
    "team": "team",
    "project": "project",
    "environment": "environment",
    "provider": "provider",
    "endpoint": "endpoint",
    "day": "day",
    "status": "status",
}

_FIGURES = """
    sum(CASE WHEN final THEN 1 ELSE 0 END) AS calls,
    sum(CASE WHEN final AND code <> '' THEN 1 ELSE 0 END) AS errors,
    coalesce(sum(input), 0) AS input, coalesce(sum(cached), 0) AS cached,
    coalesce(sum(cache_write), 0) AS cache_write, coalesce(sum(output), 0) AS output,
    coalesce(sum(reasoning), 0) AS reasoning, coalesce(sum(cost_n), 0) AS cost_n,
    coalesce(sum(CASE WHEN estimated THEN cost_n ELSE 0 END), 0) AS estimated_n
"""

_PUBLISHED = "(" + ", ".join(f"'{stored.table}'" for stored in REGISTRY if stored.published) + ")"

QUERIES: dict[str, str] = {
    "ledger_rows": """
        SELECT budget_id, period_start, limit_n, posted, leased, lost, excess, state FROM ledger
        WHERE period_start >= :since""",
    "budget_rows": """
        SELECT l.budget_id, l.posted, l.leased, l.lost, l.excess FROM budget b JOIN ledger l ON l.budget_id = b.id
        AND l.period_start = CASE b."window" WHEN 'day' THEN :day_start WHEN 'week' THEN :week_start
        WHEN 'month' THEN :month_start ELSE 0 END""",
    "budget_row": """
        SELECT budget_id, posted, leased, lost, excess FROM ledger
        WHERE budget_id = :budget AND period_start = :start""",
    "key_names": "SELECT id, name FROM virtual_key WHERE id IN (SELECT name FROM budget WHERE subject = 'key')",
    "usage_total": "SELECT " + _FIGURES + "FROM usage WHERE day >= :since AND day < :until",
    "usage_unbudgeted": """
        SELECT coalesce(sum(cost_n), 0) AS cost_n FROM usage WHERE day >= :since AND day < :until AND amounts = '[]'""",
    "used_key_names": """
        SELECT id, name FROM virtual_key
        WHERE id IN (SELECT key_id FROM usage WHERE day >= :since AND day < :until)""",
    "trace": "SELECT * FROM usage WHERE request_id = :request ORDER BY final, at_ns",
    "latest": """
        SELECT * FROM usage WHERE final AND at_ns < :before
        AND (:key = '' OR key_id = :key) AND (:service = '' OR service = :service)
        AND (:model = '' OR model_asked = :model OR model_served = :model)
        AND (:status = 0 OR status = :status) AND (:code = '' OR code = :code)
        ORDER BY at_ns DESC LIMIT :most""",
    "timeline": """
        SELECT slot_ns, sum(CASE WHEN final THEN 1 ELSE 0 END) AS requests,
        sum(CASE WHEN final AND status >= 500 THEN 1 ELSE 0 END) AS errors,
        sum(CASE WHEN final AND status < 500 AND code <> '' THEN 1 ELSE 0 END) AS refused,
        sum(cost_n) AS cost_n,
        coalesce(min(CASE WHEN final AND by_total * 100 >= legs * 95 THEN total_us END), 0) AS p95_us,
        coalesce(min(CASE WHEN final AND by_overhead * 100 >= legs * 95 THEN overhead_us END), 0) AS p95_overhead_us
        FROM (
            SELECT at_ns / :bucket * :bucket AS slot_ns, final, status, code, cost_n, total_us, overhead_us,
            row_number() OVER (PARTITION BY at_ns / :bucket, final ORDER BY total_us) AS by_total,
            row_number() OVER (PARTITION BY at_ns / :bucket, final ORDER BY overhead_us) AS by_overhead,
            count(*) OVER (PARTITION BY at_ns / :bucket, final) AS legs
            FROM usage WHERE day >= :day AND at_ns >= :since
        ) AS legs_by_slot GROUP BY slot_ns ORDER BY slot_ns""",
    "usage_steps": """
        SELECT (at_ns - :since) / :step AS step, sum(CASE WHEN final THEN 1 ELSE 0 END) AS calls,
        sum(CASE WHEN final AND code <> '' AND status >= 500 THEN 1 ELSE 0 END) AS failed,
        sum(CASE WHEN final AND code <> '' AND status < 500 THEN 1 ELSE 0 END) AS refused,
        coalesce(sum(cost_n), 0) AS cost_n
        FROM usage WHERE at_ns >= :since AND at_ns <= :until GROUP BY 1 ORDER BY 1""",
    "usage_codes": """
        SELECT code, count(*) AS calls FROM usage WHERE at_ns >= :since AND final AND code <> '' GROUP BY code""",
    "usage_nth_total": """
        SELECT total_us AS us FROM usage WHERE at_ns >= :since AND final AND code = ''
        ORDER BY total_us LIMIT 1 OFFSET :skip""",
    "usage_nth_ours": """
        SELECT overhead_us AS us FROM usage WHERE at_ns >= :since AND final AND code = ''
        ORDER BY overhead_us LIMIT 1 OFFSET :skip""",
    # One look into an index for each key, not a walk over all usage.
    "last_use": """
        SELECT key_id, at_ns FROM (SELECT k.id AS key_id, (SELECT max(u.at_ns) FROM usage u WHERE u.key_id = k.id)
        AS at_ns FROM virtual_key k) AS used WHERE at_ns IS NOT NULL""",
    "last_use_of": "SELECT key_id, max(at_ns) AS at_ns FROM usage WHERE key_id = :key GROUP BY key_id",
    "open_requests": "SELECT count(*) AS open FROM open_hold",
    "meta": "SELECT name, value FROM meta",
    "boots": "SELECT boot_id, worker, state, heartbeat FROM boot WHERE state <> 'closed'",
    "rejects": "SELECT count(*) AS rejects FROM journal_rejects",
    # What workers hear of: a change of anything else never moves their view.
    "published_seq": "SELECT coalesce(max(seq), 0) AS seq FROM change_log WHERE kind IN " + _PUBLISHED,  # noqa: S608 - names of the registry
    "change_seq": "SELECT coalesce(max(seq), 0) AS seq FROM change_log",
    "ledger_sums": """
        SELECT coalesce(sum(posted), 0) AS posted, coalesce(sum(leased), 0) AS leased, coalesce(sum(lost), 0) AS lost,
        coalesce(sum(excess), 0) AS excess FROM ledger WHERE state <> 'archived'""",
    "change_log_all": "SELECT seq, kind, id FROM change_log ORDER BY seq",
    "kept_since": """
        SELECT seq FROM audit WHERE action = :action AND actor = :actor AND object_id = :what
        AND at_ns > :since_ns LIMIT 1""",
    "whois": """
        SELECT id FROM virtual_key WHERE id = :kid OR replace(id, :word, '') <> id
        OR replace(name, :name, '') <> name OR replace(versions, :tail, '') <> versions LIMIT :most""",
    "audit_restores": "SELECT seq, reason FROM audit WHERE action = :action ORDER BY seq",
    "audit_since": "SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :most",
    "audit_newest": "SELECT * FROM audit ORDER BY seq DESC LIMIT :most",
}


# What usage says was charged to each row of the ledger since a day, and how much of that was charged by requests of
# the days asked for that name the row first: each request is counted once, whatever number of budgets it was held on.
_CHARGES = """
    SELECT {budget} AS budget_id, {period} AS period_start, sum({charge}) AS charged_n,
    sum(CASE WHEN {first} AND u.day >= :since AND u.day < :until THEN {charge} ELSE 0 END) AS within_n
    FROM usage u, {amounts} WHERE u.day >= :from_day AND u.amounts <> '[]' GROUP BY 1, 2
"""
_AMOUNTS: Mapping[Dialect, Mapping[str, str]] = {
    Dialect.SQLITE: {
        "budget": "json_extract(a.value, '$[0]')",
        "period": "json_extract(a.value, '$[1]')",
        "charge": "json_extract(a.value, '$[2]')",
        "first": "a.key = 0",
        "amounts": "json_each(u.amounts) a",
    },
    Dialect.POSTGRESQL: {
        "budget": "a.value->>0",
        "period": "CAST(a.value->>1 AS bigint)",
        "charge": "CAST(a.value->>2 AS bigint)",
        "first": "a.number = 1",
        "amounts": "jsonb_array_elements(CAST(u.amounts AS jsonb)) WITH ORDINALITY AS a (value, number)",
    },
}


def query(name: str, dialect: Dialect) -> str:
    """The text of a question; `usage_by:service,model` is the report by these groups. KeyError for another name."""
    name, _, groups = name.partition(":")
    if groups:
        return by_groups(groups.split(","))
    return _CHARGES.format_map(_AMOUNTS[dialect]) if name == "charges" else QUERIES[name]


def by_groups(groups: list[str]) -> str:
    """The usage report by some of GROUPS, dearest first; KeyError for any other word."""
    columns = ", ".join(f"{GROUPS[group]} AS {group}" for group in groups)
    numbers = ", ".join(GROUPS[group] for group in groups)
    return (  # words of GROUPS alone
        "SELECT " + columns + "," + _FIGURES + "FROM usage WHERE day >= :since AND day < :until GROUP BY "
        + numbers + " ORDER BY cost_n DESC, calls DESC"
    )  # fmt: skip


def statement(name: str, dialect: Dialect) -> list[str]:
    """The texts that a name stands for, for one database."""
    return [part.named(dialect) for part in STATEMENTS[name]]
