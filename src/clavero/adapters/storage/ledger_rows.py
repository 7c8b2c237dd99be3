"""Ledger rows and leases between their tables and the structs that `domain.lending` and `domain.posting` change.

What changed is written as differences against what was read under the lock.
"""

import json
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, TypeVar

import msgspec

from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.session import Session
from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import BootId, Lease, Look, Row, RowLife, Want

K = TypeVar("K")
V = TypeVar("V")
_NEW = Lease()
_look = msgspec.json.Decoder(Look).decode


def keys_json(keys: Iterable[RowKey]) -> str:
    """Rows as the statements' `:keys`, in the order in which they are locked."""
    return json.dumps(sorted(keys))


def find_rows(session: Session, statement: Statement, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
    """Ledger rows by key, of a statement that selects them whole."""
    return {
        RowKey(BudgetId(budget), period): Row(limit, posted, leased, lost, excess, RowLife(life))
        for budget, period, limit, posted, leased, lost, excess, life in session.rows(
            statement, {"keys": keys_json(keys)}
        )
    }


def find_leases(
    session: Session, statement: Statement, boot: BootId, keys: Iterable[RowKey] = ()
) -> list[tuple[BootId, RowKey, Lease]]:
    """Leases with their boot and row."""
    return [
        (BootId(owner), RowKey(BudgetId(budget), period), Lease(*totals))
        for owner, budget, period, *totals in session.rows(statement, {"boot": boot, "keys": keys_json(keys)})
    ]


def find_wants(session: Session, young: int) -> list[Want]:
    """Wants and looks since an instant, oldest first."""
    return [
        Want(number, BootId(boot), request, tuple(RowKey(*key) for key in json.loads(rows)), at, look and _look(look))
        for number, boot, request, rows, at, look in session.rows(sql.WANTS, {"young": young})
    ]


def snapshot(found: Mapping[K, V]) -> dict[K, V]:
    """What was read, kept beside what will be changed."""
    return {key: copy(value) for key, value in found.items()}


def move_rows(session: Session, before: Mapping[RowKey, Row], after: Mapping[RowKey, Row]) -> None:
    """Write what changed, one statement a row, in key order."""
    session.many(
        sql.MOVE,
        [
            {
                "budget": key.budget,
                "period": key.period,
                "posted": row.posted - before[key].posted,
                "leased": row.leased - before[key].leased,
                "lost": row.lost - before[key].lost,
                "excess": row.excess,
            }
            for key, row in sorted(after.items())
            if row != before[key]
        ],
    )


def move_leases(session: Session, boot: BootId, before: Mapping[RowKey, Lease], after: Mapping[RowKey, Lease]) -> None:
    """Write what changed in the leases of one boot; a lease that is not in `before` is new."""
    for statement, known in ((sql.ADD_LEASE, False), (sql.MOVE_LEASE, True)):
        changes = [
            _lease_change(boot, key, before.get(key, _NEW), lease)
            for key, lease in sorted(after.items())
            if (key in before) is known and lease != before.get(key, _NEW)
        ]
        if changes:
            session.many(statement, changes)


def _lease_change(boot: BootId, key: RowKey, old: Lease, new: Lease) -> dict[str, Any]:
    return {
        "boot": boot,
        "budget": key.budget,
        "period": key.period,
        "granted": new.granted - old.granted,
        "returned": new.returned - old.returned,
        "posted": new.posted - old.posted,
        "moved": new.moved - old.moved,
        "lost": new.lost - old.lost,
        "acked": new.acked,
        "base": new.base,
        "slack": new.slack,
    }
