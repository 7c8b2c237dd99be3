"""What the journal's frames do to the ledger: settlements, write-offs and the end of a boot, on locked rows.

Every change keeps three sums: `leased` is the sum of all shares, `posted` the sum of all usage, and what is committed
never passes limit plus excess. An overrun, a lowered limit or a late frame may make excess grow; nothing is refused
here, because the money is already spent.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from clavero.domain.budgets import BudgetId, RowKey, Subject, budget_parts
from clavero.domain.ledger import BootId, Lease, Position, Row, RowLife
from clavero.domain.lending import settle_excess
from clavero.domain.usage import Exchange

AMOUNT_MAX = 10**16  # nano-USD of one row of one frame, 10 million dollars: sums stay far from the edge of 64 bits
INT64_MAX = (1 << 63) - 1
ESTIMATED = "estimated"
WORKER_LOST = "worker_lost"


class Poison(ValueError):
    """A frame that cannot be posted, with the reason."""


class Charge(Struct, frozen=True):
    """What one hold came to on one row: `covered` is the part that the worker's own slice pays (L20)."""

    key: RowKey
    charge: int
    covered: int


class Posting(Struct, frozen=True):
    """One usage row in the making: an exchange, and what it costs each budget."""

    hold_id: str
    exchange: Exchange
    charges: tuple[Charge, ...] = ()
    flag: str = ""


class OpenHold(Struct, frozen=True):
    """Money of a call that has not ended yet; `exchange` is what was known when it left."""

    hold_id: str
    at_ns: int
    rows: tuple[tuple[str, int, int], ...]
    exchange: Exchange | None = None


class Reject(Struct, frozen=True):
    """A frame that cannot be posted: kept with its reason, so that nothing is lost and nothing stands in the way."""

    reason: str
    payload: bytes


class Turn(Struct, frozen=True):
    """What one turn of ingest posts for one boot, and how far it has read the journal by then."""

    boot: BootId
    at: Position
    to: Position
    size: int  # bytes of blocks between the two
    holds: list[OpenHold] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    pulse_ns: int = 0  # the latest pulse, UTC
    sealed: bool = False


class Posted(Struct, frozen=True):
    """What became of a turn: how long it kept others waiting, and what was rejected."""

    held_ns: int
    rejected: int = 0


class Accounts(Struct):
    """The rows that a transaction posts to, and the leases of the one boot whose frames they are."""

    boot: BootId
    rows: dict[RowKey, Row]
    leases: dict[RowKey, Lease] = field(default_factory=dict)

    def row(self, key: RowKey) -> Row:
        """A row; one that nobody knows is made, without a limit of its own: spent money is never dropped."""
        return self.rows.get(key) or self.rows.setdefault(key, Row(limit=0, life=RowLife.CLOSING))

    def lease(self, key: RowKey) -> Lease:
        """The lease of this boot on a row."""
        return self.leases.get(key) or self.leases.setdefault(key, Lease())


def charges(rows: Iterable[tuple[str, int, int, int]]) -> tuple[Charge, ...]:
    """The rows of a settle frame, checked; raises `Poison`."""
    found = tuple(Charge(RowKey(BudgetId(budget), period), charge, covered) for budget, period, charge, covered in rows)
    for one in found:
        if not 0 <= one.covered <= one.charge <= AMOUNT_MAX:
            raise Poison(f"a charge of {one.charge} with {one.covered} covered is no settlement")
    if len({one.key for one in found}) < len(found):
        raise Poison("a settlement names a row twice")
    return found


def check_hold(hold: OpenHold) -> OpenHold:
    """The same hold; raises `Poison` where its amounts make no sense."""
    if any(not 0 <= amount <= AMOUNT_MAX for _, _, amount in hold.rows):
        raise Poison("an amount held is below 0 or beyond reason")
    if len({(budget, period) for budget, period, _ in hold.rows}) < len(hold.rows):
        raise Poison("a hold names a row twice")
    return hold


def post(accounts: Accounts, posting: Posting) -> None:
    """Charge every row of a settlement: the boot's share pays first, then what was written off, then nobody."""
    for one in posting.charges:
        row, lease = accounts.row(one.key), accounts.lease(one.key)
        from_share = min(one.covered, max(0, lease.share))
        from_lost = min(one.covered - from_share, lease.lost)
        lease.posted += from_share
        lease.lost -= from_lost
        row.posted += one.charge
        row.leased -= from_share
        row.lost -= from_lost
        settle_excess(row)


def write_off(accounts: Accounts) -> None:
    """A boot is silent without proof of death: its shares stay reserved as lost, never freed (L28)."""
    for key, lease in accounts.leases.items():
        share, row = lease.share, accounts.row(key)
        row.leased -= share
        row.lost += share
        lease.moved += share
        lease.lost += share


def give_back_all(accounts: Accounts) -> None:
    """A boot is dead and its journal read to the end: share and lost return to the budget (L27)."""
    for key, lease in accounts.leases.items():
        share, lost, row = lease.share, lease.lost, accounts.row(key)
        row.leased -= share
        row.lost -= lost
        lease.returned += share
        lease.lost = 0
        settle_excess(row)


def worst_case(hold: OpenHold) -> Posting:
    """What an open hold of a dead boot becomes: charged in full, because nobody can say that it was not spent."""
    known = hold.exchange or _known_from(hold)
    cost = max((amount for _, _, amount in hold.rows), default=0)
    exchange = replace(known, cost_n=cost, held_n=cost, estimated=True, outcome="failed", code=WORKER_LOST)
    found = tuple(Charge(RowKey(BudgetId(budget), period), amount, amount) for budget, period, amount in hold.rows)
    return Posting(hold.hold_id, exchange, found, ESTIMATED)


def amounts(posting: Posting) -> list[tuple[str, int, int]]:
    """What a usage row keeps of its charges: (budget, period, nano-USD)."""
    return [(one.key.budget, one.key.period, one.charge) for one in posting.charges]


def _known_from(hold: OpenHold) -> Exchange:
    """Whose hold it was, as far as the names of its budgets tell."""
    names: Mapping[Subject, str] = dict(filter(None, (budget_parts(budget) for budget, _, _ in hold.rows)))
    return Exchange(
        hold.hold_id,
        hold.at_ns,
        key_id=names.get(Subject.KEY, ""),
        service=names.get(Subject.SERVICE, ""),
        team=names.get(Subject.TEAM, ""),
        project=names.get(Subject.PROJECT, ""),
        environment=names.get(Subject.ENVIRONMENT, ""),
    )
