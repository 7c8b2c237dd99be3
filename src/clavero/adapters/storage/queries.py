"""The questions that duties ask by name, and the few statements that they run: portable SQL, written here alone."""

from clavero.adapters.storage.ledger_sql import APPLY_LIMIT, CLOSE_BUDGET, Dialect, Statement
from clavero.adapters.storage.rows import REGISTRY
from clavero.adapters.storage.usage_queries import USAGE, by_groups

STATEMENTS = {"apply_limit": APPLY_LIMIT, "close_budget": CLOSE_BUDGET}

_PUBLISHED = "(" + ", ".join(f"'{stored.table}'" for stored in REGISTRY if stored.published) + ")"

QUERIES: dict[str, str] = USAGE | {
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
    "budgets_nearest": """
        SELECT b.id AS budget_id, l.posted, l.leased, l.lost, l.excess FROM budget b JOIN ledger l ON l.budget_id = b.id
        AND l.period_start = CASE b."window" WHEN 'day' THEN :day_start WHEN 'week' THEN :week_start
        WHEN 'month' THEN :month_start ELSE 0 END WHERE b.state = 'open' AND b.limit_n > 0
        ORDER BY (l.posted + l.lost) * 1.0 / b.limit_n DESC, b.id LIMIT :most""",
    "key_names": "SELECT id, name FROM virtual_key WHERE id IN (SELECT name FROM budget WHERE subject = 'key')",
    "keys_by_owner": """
        SELECT owner, count(*) AS keys FROM virtual_key WHERE state NOT IN ('revoked', 'retired') GROUP BY owner""",
    "keys_waiting": """
        SELECT count(*) AS keys, coalesce(sum(CASE WHEN m.due_ns <= :now THEN 1 ELSE 0 END), 0) AS overdue,
        coalesce(min(m.due_ns), 0) AS due_ns FROM member m JOIN virtual_key k ON k.owner = m.name
        WHERE m.state = 'left' AND k.state NOT IN ('revoked', 'retired')""",
    "open_requests": "SELECT count(*) AS open FROM open_hold",
    "meta": "SELECT name, value FROM meta",
    "boots": "SELECT boot_id, worker, state, heartbeat, tail, consumed FROM boot WHERE state <> 'closed'",
    "other_homes": """
        SELECT count(DISTINCT home) AS homes FROM boot
        WHERE state = 'live' AND home <> :home AND heartbeat > :since""",
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
        OR replace(name, :name, '') <> name OR replace(versions, :ending, '') <> versions LIMIT :most""",
    "audit_restores": "SELECT seq, reason FROM audit WHERE action = :action ORDER BY seq",
    "audit_since": "SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT :most",
    "audit_newest": "SELECT * FROM audit ORDER BY seq DESC LIMIT :most",
}


def query(name: str, dialect: Dialect) -> str:
    """The text of a question; `usage_by:service,model` is the report by these groups. KeyError for another name."""
    name, _, groups = name.partition(":")
    asked = by_groups(groups.split(",")) if groups else QUERIES[name]
    return Statement(asked).named(dialect)


def statement(name: str, dialect: Dialect) -> list[str]:
    """The texts that a name stands for, for one database."""
    return [part.named(dialect) for part in STATEMENTS[name]]
