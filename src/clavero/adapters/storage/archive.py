"""The `Archive` on a database: what is old goes in short transactions, the oldest first.

On SQLite a day is deleted row by row in turns like ingest's: dropping a table would walk all its pages in one
transaction, in which nobody borrows. What is freed is used again by the next rows.
"""

from collections.abc import Sequence
from typing import Final

from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Database, Session
from clavero.domain.retention import Dropped, Kept
from clavero.ports.clock import Clock

_DAY_S = 86_400
_DAY_NS = _DAY_S * 10**9
_LATE_DAYS = 2  # before and after its window that a row of the ledger is charged for
_LONGEST_DAYS = 31
_KEPT_CHANGES = 1_000  # the newest stay, however old: the highest number is never forgotten

_FORGET: Final = {
    Kept.MINUTES: Statement(
        """DELETE FROM usage_minute WHERE (minute, status, code) IN (SELECT minute, status, code FROM usage_minute
        WHERE minute < :day * 1440 ORDER BY minute LIMIT :most)"""
    ),
    Kept.HOURS: Statement(
        """DELETE FROM usage_hour WHERE (hour, group_id) IN (SELECT hour, group_id FROM usage_hour
        WHERE hour < :day * 24 ORDER BY hour LIMIT :most)"""
    ),
    Kept.DAYS: Statement(
        """DELETE FROM usage_day WHERE (day, group_id) IN (SELECT day, group_id FROM usage_day
        WHERE day < :day ORDER BY day LIMIT :most)"""
    ),
    Kept.CHANGES: Statement(
        """DELETE FROM change_log WHERE seq IN (SELECT seq FROM change_log WHERE at_ns < :day * 86400000000000
        AND seq <= (SELECT max(seq) FROM change_log) - :kept ORDER BY seq LIMIT :most)"""
    ),
}
_RECORDS = Statement(
    """DELETE FROM usage WHERE rowid IN (SELECT rowid FROM usage WHERE at_ns < :before ORDER BY at_ns LIMIT :most)"""
)
# A row is over when nothing is leased from it or lost; period 0 is for ever.
_OVER = Statement(
    """SELECT l.budget_id, l.period_start FROM ledger l WHERE l.period_start > 0 AND l.period_start < :before
    AND l.leased = 0 AND l.lost = 0 AND NOT EXISTS (SELECT 1 FROM lease o WHERE o.budget_id = l.budget_id
    AND o.period_start = l.period_start) ORDER BY l.period_start, l.budget_id LIMIT :most"""
)
_DROP_ROW = Statement(
    """DELETE FROM ledger WHERE budget_id = :budget AND period_start = :period AND leased = 0 AND lost = 0"""
)
_DROP_CHARGE = Statement("DELETE FROM usage_charge WHERE day = :day AND budget_id = :budget AND period_start = :period")
_MARK = Statement(
    """INSERT INTO meta (name, value) VALUES (:name, :value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(meta.value AS bigint) < CAST(:value AS bigint)"""
)
_MARKS = {Kept.RECORDS: "records_from", Kept.HOURS: "hours_from", Kept.DAYS: "days_from", Kept.LEDGER: "ledger_from"}
_LOOKED_AT = 10_000
_CHARGES_A_ROW = 35  # days that a row of the ledger may have charges on: looking costs as much as deleting


class SqlArchive:
    """One database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._over: list[tuple[str, int]] = []  # rows of the ledger that were found to be over

    def open_days(self, first: int, count: int) -> None:
        """Make room for the rows of some days: SQLite has one place for all."""

    def drop(self, kept: Kept, before_day: int, most: int) -> Dropped:
        """Forget at most so many rows from before a day; 0 where nothing is left."""
        if kept is Kept.LEDGER and not self._over:
            self._look(before_day)
        with self._database.transaction() as session:
            begun = self._clock.monotonic_ns()
            rows = self._drop(session, kept, before_day, most)
            if rows and kept in _MARKS:
                session.change(_MARK, {"name": _MARKS[kept], "value": str(before_day)})
        return Dropped(rows, self._clock.monotonic_ns() - begun)

    def close(self) -> None:
        """End the session."""
        self._database.close()

    def _drop(self, session: Session, kept: Kept, before_day: int, most: int) -> int:
        match kept:
            case Kept.RECORDS:
                return self._drop_records(session, before_day, most)
            case Kept.LEDGER:
                count = max(1, most // _CHARGES_A_ROW)
                rows, self._over = self._over[:count], self._over[count:]
                return _drop_ledger(session, rows)
            case _:
                values = {"day": before_day, "most": most}
                more = {"kept": _KEPT_CHANGES} if kept is Kept.CHANGES else {}
                return session.change(_FORGET[kept], values | more)

    def _look(self, before_day: int) -> None:
        """Find what is over: a walk over the ledger, in a look that nobody waits for."""
        with self._database.transaction(write=False) as session:
            found = session.rows(_OVER, {"before": before_day * _DAY_S, "most": _LOOKED_AT})
        self._over = [(budget, period) for budget, period in found]

    def _drop_records(self, session: Session, before_day: int, most: int) -> int:
        return session.change(_RECORDS, {"before": before_day * _DAY_NS, "most": most})


def _drop_ledger(session: Session, rows: Sequence[tuple[str, int]]) -> int:
    """Rows of the ledger, each with all its charges: a report never meets one without the other."""
    charges, gone = [], 0
    for budget, period in rows:
        if not session.change(_DROP_ROW, {"budget": budget, "period": period}):
            continue  # somebody posted to it meanwhile, or it went
        gone += 1
        first = period // _DAY_S - _LATE_DAYS
        days = range(first, first + _LONGEST_DAYS + 2 * _LATE_DAYS)
        charges += [{"day": day, "budget": budget, "period": period} for day in days]
    session.many(_DROP_CHARGE, charges)
    return gone
