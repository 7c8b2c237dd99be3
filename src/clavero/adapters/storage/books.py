"""The `Books` on a database: turns of ingest, write-offs and the end of a boot, each one transaction.

The position in the journal moves by compare-and-set in the same transaction as the money, so a frame is posted once
whoever reads it, and however often.
"""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage.ledger_rows import (
    find_leases,
    find_rows,
    move_leases,
    move_rows,
    snapshot,
)
from clavero.adapters.storage.session import Database, Refused, Session
from clavero.adapters.storage.usage_rolls import Groups, record, used
from clavero.adapters.storage.usage_rows import day_of, hold_values, open_hold, row_day, usage_values
from clavero.domain.budgets import RowKey
from clavero.domain.ledger import Boot, BootId, Life, Place, Position, Row
from clavero.domain.lending import ARCHIVE_SECONDS, WANT_NS
from clavero.domain.posting import (
    Accounts,
    OpenHold,
    Posted,
    Posting,
    Reject,
    Turn,
    give_back_all,
    post,
    worst_case,
    write_off,
)
from clavero.ports.clock import Clock
from clavero.wire.journal import Hold, Settle

MakeDays = Callable[[Session, Collection[int]], None]
Usage = Mapping[str, dict[str, Any]]
_NEAR = 2  # days
_ids = msgspec.json.Encoder()
_payload = msgspec.msgpack.Encoder()


class SqlBooks:
    """The ledger as ingest and reclaim see it; blocking. Threads that share it take turns."""

    def __init__(self, database: Database, clock: Clock, make_days: MakeDays | None = None) -> None:
        self._database = database
        self._make_days = make_days  # None: one place takes the rows of all days
        self._clock = clock
        self._turn = threading.Lock()
        self._groups = Groups()
        self._days: set[int] = set()  # that rows can be written of

    def boots(self) -> tuple[int, Sequence[Boot]]:
        """The database's clock, UTC nanoseconds, and every boot that is not closed."""
        with self._transaction(write=False) as session:
            [(now,)] = session.rows(sql.NOW, {})
            return now, [_boot(*row) for row in session.rows(sql.OPEN_BOOTS, {})]

    def closed(self, boots: Collection[BootId]) -> set[BootId]:
        """Which of these boots are closed."""
        with self._transaction(write=False) as session:
            found = session.rows(sql.CLOSED_BOOTS, {"ids": _ids.encode(sorted(boots)).decode()})
        return {BootId(name) for (name,) in found}

    def post(self, turn: Turn) -> Posted | None:
        """Post a turn; frames that the database refuses are found one by one and rejected."""
        self._open_days({day_of(posting.exchange.at_ns) for posting in turn.postings})
        try:
            return self._post(turn, together=True)
        except Refused:
            return self._post(turn, together=False)

    def write_off(self, boot: BootId, silent_ns: int) -> bool:
        """Write off the share of a live boot that has been silent for longer (L28)."""
        with self._transaction() as session:
            if not session.change(sql.LOSE, {"boot": boot, "silent": silent_ns}):
                return False
            with _accounts(session, boot, sql.BOOT_LEASES) as accounts:
                write_off(accounts)
        return True

    def close_boot(self, boot: BootId, at: Position, *, complete: bool) -> bool:
        """Close a dead boot: open holds at their worst case, then the rest returns, or stays lost (L27, L29)."""
        with self._transaction() as session:
            if not session.change(sql.CLOSE, {"boot": boot, "seg": at.seg, "off": at.off}):
                return False
            holds = [open_hold(*row) for row in session.rows(sql.OPEN_HOLDS, {"boot": boot})]
            self._groups.begin()
            if self._make_days is not None:
                self._make_days(session, {row_day(hold) for hold in holds})
            _charge_open_holds(session, boot, holds, self._groups, complete=complete)
            for statement in (sql.END_HOLDS, sql.DROP_BOOT_WANTS, sql.FORGET_LEASES):
                session.change(statement, {"boot": boot})
        return True

    def sweep(self) -> None:
        """Forget old wants, and archive what nothing is leased from: rows of deleted budgets, old ones in excess."""
        with self._transaction() as session:
            session.change(sql.ARCHIVE, {"seconds": ARCHIVE_SECONDS})
            session.change(sql.SWEEP_WANTS, {"old": WANT_NS})

    def close(self) -> None:
        """End the session."""
        self._database.close()

    def _open_days(self, days: set[int]) -> None:
        if self._make_days is not None and not days <= self._days:
            with self._transaction() as session:
                self._make_days(session, days)
            today = day_of(self._clock.wall_ns())  # days further back may be dropped again
            self._days = {day for day in days if abs(day - today) <= _NEAR}

    @contextlib.contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[Session]:
        with self._turn, self._database.transaction(write=write) as session:
            yield session

    def _post(self, turn: Turn, *, together: bool) -> Posted | None:
        usage = _usage(turn)  # made before the lock is taken, not under it
        with self._transaction() as session:
            begun = self._clock.monotonic_ns()
            self._groups.begin()
            if not _advance(session, turn):
                return None
            rejects = list(turn.rejects)
            if together:
                rejects += _post_part(session, turn, usage, self._groups)
            else:
                rejects += _post_singly(session, turn, usage, self._groups)
            _keep_rejects(session, turn, rejects)
        if together:  # else something may have been undone that was found
            self._groups.committed()
        return Posted(self._clock.monotonic_ns() - begun, len(rejects))


@contextlib.contextmanager
def _accounts(
    session: Session, boot: BootId, leases: sql.Statement, keys: Collection[RowKey] = ()
) -> Iterator[Accounts]:
    """The rows and leases that a transaction changes: locked first, written as differences if nothing is raised."""
    own = {key: lease for _, key, lease in find_leases(session, leases, boot, keys)}
    rows = _rows_locked(session, {*keys, *own})
    accounts = Accounts(boot, snapshot(rows), snapshot(own))
    yield accounts
    move_rows(session, rows, accounts.rows)
    move_leases(session, boot, own, accounts.leases)


def _rows_locked(session: Session, keys: set[RowKey]) -> dict[RowKey, Row]:
    rows = find_rows(session, sql.LOCK_ROWS, keys) if keys else {}
    missing = sorted(keys - rows.keys())
    if not missing:
        return rows
    session.many(sql.UNKNOWN_ROW, [{"budget": key.budget, "period": key.period} for key in missing])
    return find_rows(session, sql.LOCK_ROWS, keys)


def _advance(session: Session, turn: Turn) -> int:
    return session.change(
        sql.ADVANCE,
        {
            "boot": turn.boot,
            "from_seg": turn.at.seg,
            "from_off": turn.at.off,
            "seg": turn.to.seg,
            "off": turn.to.off,
            "bytes": turn.size,
            "pulse": turn.pulse_ns,
            "sealed": turn.sealed,
        },
    )


def _usage(turn: Turn) -> Usage:
    """Usage rows by hold; of a hold that is settled twice the first counts."""
    return {posting.hold_id: usage_values(turn.boot, posting) for posting in reversed(turn.postings)}


def _post_part(session: Session, part: Turn, usage: Usage, groups: Groups) -> list[Reject]:
    """Post what was not posted before; returns what was."""
    boot = part.boot
    holds = {hold.hold_id: row_day(hold) for hold in part.holds}
    known = used(session, holds | {one.hold_id: day_of(one.exchange.at_ns) for one in part.postings})
    fresh: dict[str, Posting] = {}
    rejects = []
    for posting in part.postings:
        if posting.hold_id in known or posting.hold_id in fresh:
            rejects.append(_reject(posting, "it was posted before"))
        else:
            fresh[posting.hold_id] = posting
    session.many(sql.END_HOLD, [{"boot": boot, "hold": name} for name in sorted(fresh.keys() - holds.keys())])
    opened = [hold for hold in part.holds if hold.hold_id not in known and hold.hold_id not in fresh]
    session.many(sql.ADD_HOLD, [hold_values(boot, hold) for hold in opened])
    record(session, groups, [(posting, usage[name]) for name, posting in fresh.items()])
    # Last, so that borrowers wait for these few statements and not for the rows of hundreds of calls.
    with _accounts(session, boot, sql.OWN_LEASES, {one.key for p in fresh.values() for one in p.charges}) as accounts:
        for posting in fresh.values():
            post(accounts, posting)
    return rejects


def _post_singly(session: Session, turn: Turn, usage: Usage, groups: Groups) -> list[Reject]:
    """The same, one frame at a time, each undone alone: slow, and only where the whole was refused."""
    rejects: list[Reject] = []
    with contextlib.suppress(Refused), session.attempt():  # key order for all, before single frames take theirs
        _rows_locked(session, {one.key for posting in turn.postings for one in posting.charges})
    parts: list[OpenHold | Posting] = [*turn.holds, *turn.postings]
    for part in parts:
        holds, postings = ([part], []) if isinstance(part, OpenHold) else ([], [part])
        try:
            with session.attempt():
                groups.begin()
                rejects += _post_part(session, replace(turn, holds=holds, postings=postings), usage, groups)
        except Refused as error:
            rejects.append(_reject(part, str(error)))
    return rejects


def _charge_open_holds(
    session: Session, boot: BootId, holds: Sequence[OpenHold], groups: Groups, *, complete: bool
) -> None:
    postings = [worst_case(hold) for hold in holds]
    keys = {one.key for posting in postings for one in posting.charges}
    record(session, groups, [(posting, usage_values(boot, posting)) for posting in postings])
    with _accounts(session, boot, sql.BOOT_LEASES, keys) as accounts:
        for posting in postings:
            post(accounts, posting)
        if complete:
            give_back_all(accounts)
        else:
            write_off(accounts)


def _keep_rejects(session: Session, turn: Turn, rejects: Iterable[Reject]) -> None:
    for one in rejects:
        values = {"boot": turn.boot, "seg": turn.at.seg, "off": turn.at.off}
        session.change(sql.REJECT, {**values, "reason": one.reason.replace("\0", ""), "payload": one.payload})


def _reject(part: OpenHold | Posting, reason: str) -> Reject:
    """What could not be posted, as the frame it came from."""
    if isinstance(part, OpenHold):
        return Reject(reason, _payload.encode(Hold(part.hold_id, part.at_ns, part.rows, part.exchange)))
    rows = tuple((one.key.budget, one.key.period, one.charge, one.covered) for one in part.charges)
    return Reject(reason, _payload.encode(Settle(part.hold_id, rows, part.flag, part.exchange)))


def _boot(*row: Any) -> Boot:
    name, worker, life, seg, off, heartbeat, tail, consumed, kernel_boot, home, durable, sealed = row
    return Boot(
        BootId(name),
        worker,
        Life(life),
        Place(home, kernel_boot, bool(durable)),
        Position(seg, off),
        heartbeat,
        tail,
        consumed,
        bool(sealed),
    )
