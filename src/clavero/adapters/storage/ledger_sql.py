"""The statements of the money protocol, written once for both databases.

A statement names its values `:name`. Words in braces differ by database: `{keys}` are the rows that `:keys` lists as
JSON, `{ids}` the strings of `:ids`, `{numbers}` the numbers of `:numbers`, `{days}` compares with those of `:days`,
`{by_time}` names an index to a planner without statistics, `{lock}` and `{share}` take row locks where the database
has them, `{now}` is the database's clock where it has a trustworthy one. Amounts are moved by difference and never
written as totals, so a row that was read without its lock still cannot lose a change, and the checks of the table see
every step.

`{keys} k CROSS JOIN t WHERE` tells SQLite which table is looked into for each key. With JOIN it read the whole list
again for every lease of a boot: with 5,000 budgets ingest was forty times slower.
"""

import re
from enum import Enum
from typing import Final

from msgspec import Struct


class Dialect(Enum):
    """Whose SQL is spoken."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


_WORDS: Final[dict[Dialect, dict[str, str]]] = {
    Dialect.SQLITE: {
        "{keys}": "(SELECT json_extract(value, '$[0]') AS b, json_extract(value, '$[1]') AS p FROM json_each(:keys))",
        "{ids}": "(SELECT value FROM json_each(:ids))",
        "{by_time}": "INDEXED BY usage_time",
        "{numbers}": "(SELECT value FROM json_each(:numbers))",
        "{days}": "IN (SELECT value FROM json_each(:days))",
        "{lock}": "",
        "{share}": "",
        "{skip}": "",
        "{now}": ":now",
        "{most}": "max",
        "{least}": "min",
    },
    Dialect.POSTGRESQL: {
        "{keys}": "(SELECT x->>0 AS b, CAST(x->>1 AS bigint) AS p FROM jsonb_array_elements(CAST(:keys AS jsonb)) x)",
        "{ids}": "(SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)))",
        "{by_time}": "",
        "{numbers}": "(SELECT CAST(jsonb_array_elements_text(CAST(:numbers AS jsonb)) AS bigint))",
        "{days}": "= ANY(CAST(translate(:days, '[]', '{}') AS integer[]))",
        "{lock}": "FOR UPDATE OF l",
        "{share}": "FOR SHARE OF b",
        "{skip}": "FOR UPDATE SKIP LOCKED",
        "{now}": "CAST(extract(epoch FROM clock_timestamp()) * 1000000000 AS bigint)",
        "{most}": "greatest",
        "{least}": "least",
    },
}


class Statement(Struct, frozen=True):
    """One statement and its text for each database and driver."""

    text: str

    def named(self, dialect: Dialect) -> str:
        """With `:name`, as sqlite3 and SQLAlchemy's `text` take it."""
        return re.sub(r"\{\w+\}", lambda word: _WORDS[dialect][word[0]], self.text)

    def percent(self, dialect: Dialect) -> str:
        """With `%(name)s`, as psycopg takes it."""
        return re.sub(r":([a-z_]+)", r"%(\1)s", self.named(dialect))


# --- boots

REGISTER: Final = Statement(
    """INSERT INTO boot (boot_id, worker, incarnation, state, heartbeat, kernel_boot, home, durable, sealed)
    SELECT :boot, :worker, coalesce(max(incarnation), 1), 'live', {now}, :kernel_boot, :home, :durable, :no
    FROM boot WHERE 1 = 1 ON CONFLICT (boot_id) DO NOTHING"""
)
BOOT: Final = Statement("SELECT incarnation, state FROM boot WHERE boot_id = :boot")
GUARD: Final = Statement(
    """UPDATE boot SET heartbeat = {most}(heartbeat, {now}), tail = {most}(tail, :tail)
    WHERE boot_id = :boot AND state = 'live' AND incarnation = :incarnation
    RETURNING {now}, (SELECT count(*) FROM boot WHERE state = 'live')"""
)
OPEN_BOOTS: Final = Statement(
    """SELECT boot_id, worker, state, seg, off, heartbeat, tail, consumed, kernel_boot, home, durable, sealed
    FROM boot WHERE state <> 'closed' ORDER BY boot_id"""
)
CLOSED_BOOTS: Final = Statement("SELECT boot_id FROM boot WHERE state = 'closed' AND boot_id IN {ids}")
NOW: Final = Statement("SELECT {now}")
ADVANCE: Final = Statement(
    """UPDATE boot SET seg = :seg, off = :off, consumed = consumed + :bytes,
    heartbeat = {most}(heartbeat, {least}(:pulse, {now})), sealed = sealed OR :sealed
    WHERE boot_id = :boot AND seg = :from_seg AND off = :from_off AND state <> 'closed'"""
)
LOSE: Final = Statement(
    "UPDATE boot SET state = 'lost' WHERE boot_id = :boot AND state = 'live' AND heartbeat < {now} - :silent"
)
CLOSE: Final = Statement(
    """UPDATE boot SET state = 'closed'
    WHERE boot_id = :boot AND seg = :seg AND off = :off AND state <> 'closed'"""
)

# --- rows

OPEN_ROWS: Final = Statement(
    """INSERT INTO ledger (budget_id, period_start, limit_n)
    SELECT b.id, k.p, b.limit_n FROM budget b JOIN {keys} k ON k.b = b.id
    WHERE b.state = 'open'
    AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.budget_id = k.b AND l.period_start = k.p)
    ORDER BY b.id, k.p {share} ON CONFLICT (budget_id, period_start) DO NOTHING"""
)
UNKNOWN_ROW: Final = Statement(
    """INSERT INTO ledger (budget_id, period_start, limit_n, state)
    VALUES (:budget, :period, coalesce((SELECT limit_n FROM budget WHERE id = :budget), 0),
        coalesce((SELECT state FROM budget WHERE id = :budget), 'closing'))
    ON CONFLICT (budget_id, period_start) DO NOTHING"""
)
LOCK_ROWS: Final = Statement(
    """SELECT l.budget_id, l.period_start, l.limit_n, l.posted, l.leased, l.lost, l.excess, l.state
    FROM {keys} k CROSS JOIN ledger l WHERE l.budget_id = k.b AND l.period_start = k.p
    ORDER BY l.budget_id, l.period_start {lock}"""
)
SEE_ROWS: Final = Statement(
    """SELECT l.budget_id, l.period_start, l.limit_n, l.posted, l.leased, l.lost, l.excess, l.state
    FROM {keys} k CROSS JOIN ledger l WHERE l.budget_id = k.b AND l.period_start = k.p"""
)
TROUBLED: Final = Statement(
    """SELECT l.budget_id, l.period_start FROM ledger l
    JOIN lease o ON o.boot_id = :boot AND o.budget_id = l.budget_id AND o.period_start = l.period_start
    WHERE l.state <> 'archived' AND (l.state <> 'open' OR l.excess > 0)
    AND o.granted - o.returned - o.posted - o.moved > 0"""
)
MOVE: Final = Statement(
    """UPDATE ledger SET posted = posted + :posted, leased = leased + :leased, lost = lost + :lost, excess = :excess
    WHERE budget_id = :budget AND period_start = :period"""
)
ARCHIVE: Final = Statement(
    """UPDATE ledger SET state = 'archived' WHERE (budget_id, period_start) IN (
    SELECT budget_id, period_start FROM ledger WHERE state <> 'archived' AND (state <> 'open' OR excess > 0)
    AND leased = 0 AND lost = 0
    AND (state = 'closing' OR (period_start > 0 AND period_start < {now} / 1000000000 - :seconds)) {skip})"""
)

# --- leases

OWN_LEASES: Final = Statement(
    """SELECT o.boot_id, o.budget_id, o.period_start, o.granted, o.returned, o.posted, o.moved, o.lost, o.acked,
    o.base, o.slack
    FROM {keys} k CROSS JOIN lease o WHERE o.boot_id = :boot AND o.budget_id = k.b AND o.period_start = k.p"""
)
OTHER_LEASES: Final = Statement(
    """SELECT o.boot_id, o.budget_id, o.period_start, o.granted, o.returned, o.posted, o.moved, o.lost, o.acked,
    o.base, o.slack
    FROM {keys} k CROSS JOIN lease o WHERE o.budget_id = k.b AND o.period_start = k.p
    AND o.boot_id <> :boot"""
)
BOOT_LEASES: Final = Statement(
    """SELECT boot_id, budget_id, period_start, granted, returned, posted, moved, lost, acked, base, slack
    FROM lease WHERE boot_id = :boot"""
)
ADD_LEASE: Final = Statement(
    """INSERT INTO lease (boot_id, budget_id, period_start, granted, returned, posted, moved, lost, acked,
    base, slack)
    VALUES (:boot, :budget, :period, :granted, :returned, :posted, :moved, :lost, :acked, :base, :slack)"""
)
MOVE_LEASE: Final = Statement(
    """UPDATE lease SET granted = granted + :granted, returned = returned + :returned, posted = posted + :posted,
    moved = moved + :moved, lost = lost + :lost, acked = :acked, base = :base, slack = :slack
    WHERE boot_id = :boot AND budget_id = :budget AND period_start = :period"""
)
FORGET_LEASE: Final = Statement(
    """DELETE FROM lease WHERE boot_id = :boot AND budget_id = :budget AND period_start = :period
    AND granted - returned - posted - moved = 0 AND lost = 0"""
)
FORGET_LEASES: Final = Statement(
    """DELETE FROM lease WHERE boot_id = :boot AND granted - returned - posted - moved = 0 AND lost = 0"""
)

# --- wants

WANTS: Final = Statement(
    "SELECT want_id, boot_id, request_id, rows, at, look FROM want WHERE at >= :young ORDER BY want_id"
)
ADD_WANT: Final = Statement(
    """INSERT INTO want (boot_id, request_id, rows, at, look) VALUES (:boot, :request, :rows, :at, :look)
    ON CONFLICT (boot_id, request_id) DO NOTHING"""
)
DROP_WANT: Final = Statement("DELETE FROM want WHERE want_id = :number")
DROP_OWN_OLD_WANTS: Final = Statement("DELETE FROM want WHERE boot_id = :boot AND at < :young")
DROP_BOOT_WANTS: Final = Statement("DELETE FROM want WHERE boot_id = :boot")
SWEEP_WANTS: Final = Statement(
    """DELETE FROM want WHERE want_id IN (SELECT want_id FROM want WHERE at < {now} - :old {skip})"""
)

# --- holds, and what could not be posted

OPEN_HOLDS: Final = Statement("SELECT hold_id, rows, at_ns, exchange FROM open_hold WHERE boot_id = :boot")
SOME_OPEN_HOLDS: Final = Statement("SELECT hold_id FROM open_hold WHERE boot_id = :boot AND hold_id IN {ids}")
ADD_HOLD: Final = Statement(
    """INSERT INTO open_hold (boot_id, hold_id, rows, at_ns, exchange)
    VALUES (:boot, :hold, :rows, :at_ns, :exchange) ON CONFLICT (boot_id, hold_id) DO NOTHING"""
)
END_HOLD: Final = Statement("DELETE FROM open_hold WHERE boot_id = :boot AND hold_id = :hold")
END_HOLDS: Final = Statement("DELETE FROM open_hold WHERE boot_id = :boot")
REJECT: Final = Statement(
    """INSERT INTO journal_rejects (boot_id, seg, off, at, reason, payload)
    VALUES (:boot, :seg, :off, {now}, :reason, :payload)"""
)

# --- what the control plane runs inside its own transaction (L30)

LOCK_BUDGET: Final = Statement("UPDATE budget SET limit_n = limit_n WHERE id = :budget")
_APPLY_LIMIT: Final = Statement(
    """UPDATE ledger SET limit_n = :limit, excess = {most}(0, posted + leased + lost - :limit)
    WHERE budget_id = :budget AND state <> 'archived'"""
)
_REOPEN: Final = Statement(
    """UPDATE ledger SET state = 'open', limit_n = :limit, excess = {most}(0, posted + leased + lost - :limit)
    WHERE budget_id = :budget AND state <> 'open'
    AND period_start = (SELECT max(n.period_start) FROM ledger n WHERE n.budget_id = :budget)"""
)
_CLOSE_BUDGET: Final = Statement("UPDATE ledger SET state = 'closing' WHERE budget_id = :budget AND state = 'open'")
APPLY_LIMIT: Final = (LOCK_BUDGET, _APPLY_LIMIT, _REOPEN)
CLOSE_BUDGET: Final = (LOCK_BUDGET, _CLOSE_BUDGET)
