"""Who is lent what: the decisions of one money talk, on rows that its transaction has locked.

Returns and acknowledgements first, then the asks, oldest first. Money is refused only where it is proved that there
was an instant, since it was asked for, at which it was not there (L18). Reading, locking and writing the rows is the
adapters' business, so both databases and the twin in memory decide alike.
"""

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct, field

from clavero.domain.budgets import RowKey
from clavero.domain.ledger import Answer, Ask, BootId, Lease, Look, Row, RowLife, RowState, Talk, Verdict, Want

WANT_NS = 2_000_000_000  # a want is ignored when it is older: its caller has had a 503 long since (L17)

ARCHIVE_SECONDS = 40 * 86_400  # a window that began longer ago has ended: nobody asks for its row any more


class Counter(Struct):
    """Everything that one talk may look at and change. A row that is not here does not exist."""

    boot: BootId
    rows: dict[RowKey, Row]
    leases: dict[RowKey, dict[BootId, Lease]]  # of a row that is asked for: all
    wants: list[Want]  # young ones, oldest first; `hold_talk` puts the looks among them aside
    live_workers: int = 1
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    dropped: list[int] = field(default_factory=list)  # numbers of wants that are answered
    added: list[Ask] = field(default_factory=list)  # asks that begin to wait
    spare: dict[RowKey, int] = field(default_factory=dict)  # what the worker has and no ask has taken yet
    looks: dict[RowKey, list[Want]] = field(default_factory=dict)  # by row, oldest first
    looked: dict[RowKey, Look] = field(default_factory=dict)  # new ones; numbered after the wants that are added

    def own(self, key: RowKey) -> Lease:
        """The lease of this boot on a row, empty where it has none yet."""
        return self.leases.setdefault(key, {}).setdefault(self.boot, Lease())


def is_young(want: Want, now_ns: int) -> bool:
    """True while somebody can still be waiting behind a want."""
    return now_ns - want.at_ns <= WANT_NS


def owed(returned: dict[RowKey, int], leases: dict[RowKey, Lease]) -> dict[RowKey, int]:
    """What is still to be given back, by row: absolute totals less what was applied already (L11, L12)."""
    return {
        key: total - leases[key].returned
        for key, total in returned.items()
        if key in leases and total > leases[key].returned
    }


def settle_excess(row: Row) -> None:
    """Excess is what is committed beyond the limit and nothing more; it never grows by lending, which stops before."""
    row.excess = max(0, -row.headroom)


def hold_talk(counter: Counter, talk: Talk) -> None:
    """Apply returns and acknowledgements, then answer the asks: changes rows and leases, fills verdicts."""
    for key in sorted(owed(talk.returned, _own_leases(counter))):
        _take_back(counter, key, talk.returned[key])
    for key, ack in talk.acked.items():
        if counter.boot in counter.leases.get(key, {}):
            lease = counter.own(key)
            lease.acked, lease.base, lease.slack = max(lease.acked, ack.number), ack.base, ack.slack
    for want in counter.wants:
        if want.look:
            counter.looks.setdefault(want.rows[0], []).append(want)
    counter.wants = [want for want in counter.wants if not want.look]
    _drop_left(counter, talk)
    for ask in talk.asks:
        for key, amount in ask.have.items():
            counter.spare.setdefault(key, amount)
    numbers = {want.request_id: want.number for want in counter.wants if want.boot == counter.boot}
    for ask in sorted(talk.asks, key=lambda ask: (ask.request_id not in numbers, numbers.get(ask.request_id, 0))):
        verdict = _answer(counter, talk, ask, numbers.get(ask.request_id))
        counter.verdicts[ask.request_id] = verdict
        _keep_or_drop_want(counter, ask, numbers.get(ask.request_id), verdict)


def highest_wants(wants: Iterable[Want]) -> tuple[dict[RowKey, int], dict[RowKey, BootId]]:
    """By row that somebody waits for: the highest number that names it, looks included, and who waits longest."""
    highest: dict[RowKey, int] = {}
    oldest: dict[RowKey, tuple[int, BootId]] = {}
    for want in wants:
        for key in want.rows:
            highest[key] = max(highest.get(key, 0), want.number)
            if not want.look:
                oldest[key] = min(oldest.get(key, (want.number, want.boot)), (want.number, want.boot))
    return {key: highest[key] for key in oldest}, {key: boot for key, (_, boot) in oldest.items()}


def row_state(row: Row, lease: Lease | None) -> RowState:
    """A row as the worker is told of it."""
    own = lease or Lease()
    return RowState(
        limit=row.limit,
        posted=row.posted,
        leased=row.leased,
        lost=row.lost,
        excess=row.excess,
        open=row.life is RowLife.OPEN,
        granted=own.granted,
        returned=own.returned,
        share=own.share,
    )


def _own_leases(counter: Counter) -> dict[RowKey, Lease]:
    return {key: leases[counter.boot] for key, leases in counter.leases.items() if counter.boot in leases}


def _take_back(counter: Counter, key: RowKey, total: int) -> None:
    lease, row = counter.own(key), counter.rows[key]
    back = min(total - lease.returned, lease.share)
    lease.returned += back
    row.leased -= back
    settle_excess(row)


def _drop_left(counter: Counter, talk: Talk) -> None:
    """Wants of this boot that no ask stands behind any more (L17)."""
    asking = {ask.request_id for ask in talk.asks}
    left = [want for want in counter.wants if want.boot == counter.boot and want.request_id not in asking]
    counter.dropped += [want.number for want in left]
    counter.wants = [want for want in counter.wants if want not in left]


def _answer(counter: Counter, talk: Talk, ask: Ask, number: int | None) -> Verdict:
    for key in sorted(ask.need):
        if key not in counter.rows or counter.rows[key].life is not RowLife.OPEN:
            return Verdict(Answer.GONE, key)
    if not any(ask.need.values()):
        _lend(counter, ask, number)
        return Verdict(Answer.GRANTED)
    behind = {key for key in ask.need if _older_want(counter, key, number)}
    short = {key for key in ask.need if counter.rows[key].headroom < _missing(counter, ask, key)}
    if not behind and not short:
        _lend(counter, ask, number)
        return Verdict(Answer.GRANTED)
    for key in sorted(short):
        short_by = ask.need[key] - counter.spare.get(key, 0) - counter.rows[key].headroom
        if short_by > 0 and _is_alone(counter, key, talk):  # this instant proves it, but for what comes back right now
            return Verdict(Answer.REFUSED, key, short_by)
        if _proved(counter, key, ask.need[key], number):
            return Verdict(Answer.REFUSED, key)
        _look_at(counter, key)
    return Verdict(Answer.WAIT, min(short or behind))


def _missing(counter: Counter, ask: Ask, key: RowKey) -> int:
    """What the database would have to lend; 0 where the worker's own slice covers it, which then proves nothing."""
    return max(0, ask.need[key] - counter.spare.get(key, 0))


def _older_want(counter: Counter, key: RowKey, number: int | None) -> bool:
    if number is None and any(key in ask.need for ask in counter.added):
        return True
    return any(key in want.rows and (number is None or want.number < number) for want in counter.wants)


def _is_alone(counter: Counter, key: RowKey, talk: Talk) -> bool:
    """Whether nobody else has a share, and the worker knows of all that it was granted itself."""
    shares = {boot: lease.share for boot, lease in counter.leases.get(key, {}).items()}
    return (key in talk.acked or not shares.pop(counter.boot, 0)) and not any(
        share for boot, share in shares.items() if boot != counter.boot
    )


def _proved(counter: Counter, key: RowKey, need: int, number: int | None) -> bool:
    """True if at some instant since the want was numbered less than the need was nobody's (L18)."""
    looks = [] if number is None else [want for want in counter.looks.get(key, ()) if want.number > number]
    return any(want.look and _answered(counter, key, want.number, want.look) < need for want in looks)


def _answered(counter: Counter, key: RowKey, number: int, look: Look) -> float:
    """The most that was nobody's at the instant of a look; without end while somebody has not answered it."""
    most = look.headroom
    for boot, base in look.bases.items():
        lease = counter.leases.get(key, {}).get(boot)
        if lease is None or lease.acked < number:
            return float("inf")
        most += lease.slack - base
    return most


def _look_at(counter: Counter, key: RowKey) -> None:
    """Look at the row, if every holder has said what it keeps and the latest look needs no more answers."""
    holders = {boot: lease for boot, lease in counter.leases.get(key, {}).items() if lease.share}
    latest = max((want.number for want in counter.looks.get(key, ())), default=1)
    if key not in counter.looked and all(lease.acked >= latest for lease in holders.values()):
        bases = {boot: lease.base for boot, lease in holders.items()}
        counter.looked[key] = Look(counter.rows[key].headroom, bases)


def _lend(counter: Counter, ask: Ask, number: int | None) -> None:
    for key in sorted(ask.need):
        amount = _amount(counter, ask, key, number)
        if amount:
            lease, row = counter.own(key), counter.rows[key]
            lease.granted += amount
            lease.acked = 0  # an acknowledgement before a later grant proves nothing (L18)
            row.leased += amount
        counter.spare[key] = counter.spare.get(key, 0) + amount - ask.need[key]


def _amount(counter: Counter, ask: Ask, key: RowKey, number: int | None) -> int:
    """The exact need where anybody else waits on the row, else the slice within this worker's part of what is left."""
    missing = _missing(counter, ask, key)
    others = any(key in want.rows and want.number != number for want in counter.wants)
    if others or any(key in waiting.need for waiting in counter.added):
        return missing
    gladly = max(ask.need[key], ask.slice.get(key, 0)) - counter.spare.get(key, 0)
    part = max(0, counter.rows[key].headroom - missing) // (2 * max(1, counter.live_workers))
    return max(missing, min(gladly, missing + part))


def _keep_or_drop_want(counter: Counter, ask: Ask, number: int | None, verdict: Verdict) -> None:
    if verdict.answer is Answer.WAIT:
        if number is None:
            counter.added.append(ask)
    elif number is not None:
        counter.dropped.append(number)
        counter.wants = [want for want in counter.wants if want.number != number]


def leases_by_row(found: Iterable[tuple[BootId, RowKey, Lease]]) -> dict[RowKey, dict[BootId, Lease]]:
    """Leases as a counter has them."""
    by_row: dict[RowKey, dict[BootId, Lease]] = defaultdict(dict)
    for boot, key, lease in found:
        by_row[key][boot] = lease
    return dict(by_row)
