"""The money talk as SQL: guard, rows in key order, decision, differences. Which database it is, the session knows.

Locks are taken in one order everywhere: boot, ledger rows by key, leases, wants. The own boot's row is locked by the
guard, so its leases stand still; another boot's lease changes only under the lock of its ledger row.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage.ledger_rows import (
    find_leases,
    find_rows,
    find_wants,
    keys_json,
    move_leases,
    move_rows,
    snapshot,
)
from clavero.adapters.storage.session import Away, Database, OutcomeUnknown, Session
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Answer, BootId, Fenced, Lease, Life, Place, Row, Talk, Terms, Verdict, Want
from clavero.domain.lending import (
    WANT_NS,
    Counter,
    highest_wants,
    hold_talk,
    leases_by_row,
    owed,
    row_state,
)

_json = msgspec.json.Encoder()


class SqlLender:
    """The `Lender` on a database; blocking, one call at a time."""

    def __init__(self, database: Database, place: Place, *, reconnect: bool = False) -> None:
        self._database = database
        self._place = place
        self._reconnect = reconnect  # once, where a session may have been ended behind our back

    def register(self, boot: BootId, worker: str) -> int:
        """Make the boot known before its first borrow (L1); `Fenced` where it has ended already."""
        with self._database.transaction() as session:
            session.change(
                sql.REGISTER,
                {
                    "boot": boot,
                    "worker": worker,
                    "kernel_boot": self._place.kernel_boot,
                    "home": self._place.home,
                    "durable": self._place.durable,
                    "no": False,
                },
            )
            [(incarnation, life)] = session.rows(sql.BOOT, {"boot": boot})
        if life != Life.LIVE:
            raise Fenced(boot)
        return int(incarnation)

    def talk(self, talk: Talk) -> Terms:
        """One transaction; tried again once where nothing happened, read again where nobody can say (L11)."""
        try:
            return self._talk(talk)
        except Away:
            if not self._reconnect:
                raise
            return self._talk(talk)
        except OutcomeUnknown:
            # Who does not know what was granted can say nothing of a row (L18), only ask after it.
            terms = self._talk(replace(talk, asks=(), acked={}, about=tuple(talk.named())))
            return replace(terms, verdicts={ask.request_id: Verdict(Answer.WAIT) for ask in talk.asks})

    def close(self) -> None:
        """End the session."""
        self._database.close()

    def _talk(self, talk: Talk) -> Terms:
        with self._database.transaction() as session:
            return in_session(session, talk)


class _Seen(Struct):
    """What the transaction read before it decided."""

    now: int
    live_workers: int
    own: dict[RowKey, Lease]
    rows: dict[RowKey, Row]
    wants: list[Want]


def in_session(session: Session, talk: Talk) -> Terms:
    """One money talk inside a transaction; `Fenced` where the boot is not live or of another incarnation."""
    guard = {"boot": talk.boot, "incarnation": talk.incarnation, "tail": talk.tail}
    found = session.rows(sql.GUARD, guard)
    if not found:
        raise Fenced(talk.boot)
    [(now, live_workers)] = found
    own = {key: lease for _, key, lease in find_leases(session, sql.OWN_LEASES, talk.boot, talk.named())}
    rows = _lock(session, talk, own)
    seen = _Seen(now, live_workers, own, rows, find_wants(session, now - WANT_NS))
    counter = _decide(session, talk, seen)
    if talk.forgotten:
        gone = [{"boot": talk.boot, "budget": key.budget, "period": key.period} for key in talk.forgotten]
        session.many(sql.FORGET_LEASE, gone)
    wants = _change_wants(session, counter, now) if counter.dropped or counter.added or counter.looked else seen.wants
    return _terms(session, talk, counter, seen, wants)


def _lock(session: Session, talk: Talk, own: dict[RowKey, Lease]) -> dict[RowKey, Row]:
    """The rows that this talk may change, locked in key order; rows that an ask names are made on demand."""
    asked = {key for ask in talk.asks for key in ask.need}
    if asked:
        session.change(sql.OPEN_ROWS, {"keys": keys_json(asked)})
    keys = asked | owed(talk.returned, own).keys()
    return find_rows(session, sql.LOCK_ROWS, keys) if keys else {}


def _decide(session: Session, talk: Talk, seen: _Seen) -> Counter:
    others = find_leases(session, sql.OTHER_LEASES, talk.boot, seen.rows) if talk.asks else []
    leases = leases_by_row([*others, *((talk.boot, key, lease) for key, lease in seen.own.items())])
    rows_before, own_before = snapshot(seen.rows), snapshot(seen.own)
    counter = Counter(talk.boot, seen.rows, leases, list(seen.wants), seen.live_workers)
    hold_talk(counter, talk)
    move_rows(session, rows_before, counter.rows)
    seen.own = {key: found[talk.boot] for key, found in counter.leases.items() if talk.boot in found}
    move_leases(session, talk.boot, own_before, seen.own)
    return counter


def _change_wants(session: Session, counter: Counter, now: int) -> list[Want]:
    session.many(sql.DROP_WANT, [{"number": number} for number in counter.dropped])
    if counter.added or counter.looked:
        session.change(sql.DROP_OWN_OLD_WANTS, {"boot": counter.boot, "young": now - WANT_NS})
        session.many(sql.ADD_WANT, [*_new_wants(counter, now), *_new_looks(counter, now)])
    return find_wants(session, now - WANT_NS)


def _new_wants(counter: Counter, now: int) -> list[dict[str, Any]]:
    return [
        {"boot": counter.boot, "request": ask.request_id, "rows": keys_json(ask.need), "at": now, "look": None}
        for ask in counter.added
    ]


def _new_looks(counter: Counter, now: int) -> list[dict[str, Any]]:
    """Numbered after the wants. There is none of the row yet with this name: the last one has a number too."""
    last = max((want.number for looks in counter.looks.values() for want in looks), default=0)
    return [
        {
            "boot": counter.boot,
            "request": f"look {key.budget} {key.period} {last}",
            "rows": keys_json([key]),
            "at": now,
            "look": _json.encode(look).decode(),
        }
        for key, look in sorted(counter.looked.items(), key=lambda one: one[0])
    ]


def _terms(session: Session, talk: Talk, counter: Counter, seen: _Seen, wants: list[Want]) -> Terms:
    troubled = {RowKey(BudgetId(budget), period) for budget, period in session.rows(sql.TROUBLED, {"boot": talk.boot})}
    rows, own = dict(counter.rows), dict(seen.own)
    unread = (talk.named() | troubled) - rows.keys()
    if unread:
        rows |= find_rows(session, sql.SEE_ROWS, unread)
    if unread - own.keys():
        own |= {key: lease for _, key, lease in find_leases(session, sql.OWN_LEASES, talk.boot, unread - own.keys())}
    highest, oldest = highest_wants(wants)
    return Terms(
        now_ns=seen.now,
        live_workers=seen.live_workers,
        rows={key: row_state(row, own.get(key)) for key, row in rows.items()},
        verdicts=counter.verdicts,
        wants=highest,
        oldest=oldest,
    )
