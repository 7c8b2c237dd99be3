"""Ingest's and reclaim's side of the ledger in memory: the `Books` of a `MemoryLedger`."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct, field

from clavero.domain.budgets import RowKey
from clavero.domain.ledger import Boot, BootId, Lease, Life, Position, Row, RowLife
from clavero.domain.lending import ARCHIVE_SECONDS, is_young
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
from clavero.testing.lender import MemoryBoot, MemoryLedger


class MemoryBooks(Struct):
    """What was posted, and the ledger that it was posted to."""

    ledger: MemoryLedger
    usage: dict[str, Posting] = field(default_factory=dict)
    holds: dict[tuple[BootId, str], OpenHold] = field(default_factory=dict)
    rejects: list[tuple[BootId, Reject]] = field(default_factory=list)
    away: bool = False

    def boots(self) -> tuple[int, Sequence[Boot]]:
        """The clock, and every boot that is not closed."""
        self._reach()
        with self.ledger.lock:
            found = [_boot(name, boot) for name, boot in sorted(self.ledger.boots.items())]
            return self.ledger.clock.wall_ns(), [boot for boot in found if boot.life is not Life.CLOSED]

    def closed(self, boots: Collection[BootId]) -> set[BootId]:
        """Which of these boots are closed."""
        self._reach()
        known = self.ledger.boots
        return {boot for boot in boots if boot in known and known[boot].life is Life.CLOSED}

    def post(self, turn: Turn) -> Posted | None:
        """Post a turn if its journal is still read up to where it begins."""
        self._reach()
        with self.ledger.lock:
            boot = self.ledger.boots[turn.boot]
            if boot.life is Life.CLOSED or boot.at != turn.at:
                return None
            boot.at, boot.consumed, boot.sealed = turn.to, boot.consumed + turn.size, boot.sealed or turn.sealed
            boot.heartbeat = max(boot.heartbeat, min(turn.pulse_ns, self.ledger.clock.wall_ns()))
            rejects = [*turn.rejects, *self._post(turn)]
            self.rejects += [(turn.boot, reject) for reject in rejects]
            return Posted(0, len(rejects))

    def write_off(self, boot: BootId, silent_ns: int) -> bool:
        """Write off the share of a live boot that has been silent for longer."""
        self._reach()
        with self.ledger.lock:
            it = self.ledger.boots[boot]
            if it.life is not Life.LIVE or it.heartbeat >= self.ledger.clock.wall_ns() - silent_ns:
                return False
            it.life = Life.LOST
            write_off(self._accounts(boot))
            return True

    def close_boot(self, boot: BootId, at: Position, *, complete: bool) -> bool:
        """Close a dead boot whose journal is read to the end."""
        self._reach()
        with self.ledger.lock:
            it = self.ledger.boots[boot]
            if it.life is Life.CLOSED or it.at != at:
                return False
            it.life = Life.CLOSED
            self._end_holds(boot)
            accounts = self._accounts(boot)
            (give_back_all if complete else write_off)(accounts)
            self._forget(boot)
            return True

    def sweep(self) -> None:
        """Forget old wants, and archive what nothing is leased from: rows of deleted budgets, old ones in excess."""
        self._reach()
        with self.ledger.lock:
            now = self.ledger.clock.wall_ns()
            self.ledger.wants = [want for want in self.ledger.wants if is_young(want, now)]
            for key, row in self.ledger.rows.items():
                old = row.excess and 0 < key.period < now // 10**9 - ARCHIVE_SECONDS
                if (row.life is RowLife.CLOSING or old) and not row.leased and not row.lost:
                    row.life = RowLife.ARCHIVED

    def close(self) -> None:
        """Nothing to let go of."""

    def _post(self, turn: Turn) -> Iterable[Reject]:
        for hold in turn.holds:
            if hold.hold_id not in self.usage:
                self.holds.setdefault((turn.boot, hold.hold_id), hold)
        for posting in turn.postings:
            if posting.hold_id in self.usage:
                yield Reject("it was posted before", posting.hold_id.encode())
            else:
                self._charge(turn.boot, posting)

    def _charge(self, boot: BootId, posting: Posting) -> None:
        self.holds.pop((boot, posting.hold_id), None)
        self.usage[posting.hold_id] = posting
        accounts = self._accounts(boot, [one.key for one in posting.charges])
        post(accounts, posting)
        self.ledger.leases.update({(boot, key): lease for key, lease in accounts.leases.items()})

    def _end_holds(self, boot: BootId) -> None:
        for owner, hold_id in list(self.holds):
            if owner == boot:
                self._charge(boot, worst_case(self.holds[owner, hold_id]))

    def _accounts(self, boot: BootId, keys: Iterable[RowKey] = ()) -> Accounts:
        for key in keys:
            if key not in self.ledger.rows:
                budget = self.ledger.budgets.get(key.budget)
                self.ledger.rows[key] = Row(budget.limit_n) if budget else Row(0, life=RowLife.CLOSING)
        leases = {key: lease for (owner, key), lease in self.ledger.leases.items() if owner == boot}
        return Accounts(boot, self.ledger.rows, leases)

    def _forget(self, boot: BootId) -> None:
        ledger = self.ledger
        ledger.wants = [want for want in ledger.wants if want.boot != boot]
        for owner, key in list(ledger.leases):
            if owner == boot and not _has_money(ledger.leases[owner, key]):
                ledger.leases.pop((owner, key))

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("the database is away")


def _has_money(lease: Lease) -> bool:
    return bool(lease.share or lease.lost)


def _boot(name: BootId, it: MemoryBoot) -> Boot:
    return Boot(name, it.worker, it.life, it.place, it.at, it.heartbeat, it.tail, it.consumed, it.sealed)
