"""What a worker holds of each ledger row, in memory: taking and giving back costs no round trip.

`free` is borrowed and not taken; G is what was ever granted, R what was ever given back, both as absolute numbers so
that a lost answer changes nothing (L11). Whatever is free, taken, settled but not ingested or on its way back never
exceeds the lease in the database (L2). No I/O and no clock in here: the bank talks, this decides what is said. Times
are nanoseconds of the ledger clock.
"""

from itertools import islice
from typing import Final

from msgspec import Struct

from clavero.domain.budgets import Budget, RowKey, period_end, period_start
from clavero.domain.ledger import Answer, Ask, BootId, RowState, Talk, Terms

IDLE_NS: Final = 1_000_000_000  # a slice that nobody took from for so long goes back (L16)
_WINDOW_NS: Final = 250_000_000  # over which the pace of a row is measured
_MOST_PURSES: Final = 8192
_MOST_ASKS: Final = 200  # of one talk: it keeps others from the database for as long as it takes
_NEVER: Final = 1 << 63

Posted = tuple[tuple[str, int, int, int], ...]  # rows of a settle frame: budget, period, charge, covered


class Slice:
    """One ledger row as this worker has it, nano-USD."""

    __slots__ = (
        "blocked", "ends_ns", "free", "granted", "largest", "low", "marked_ns", "mine_oldest", "pace", "returned",
        "said", "spent", "state", "used_ns", "want",
    )  # fmt: skip

    def __init__(self, ends_ns: int) -> None:
        self.ends_ns = ends_ns
        self.free = 0
        self.granted = 0  # G
        self.returned = 0  # R
        self.blocked = 0  # exchanges of this worker that wait for the row (L14)
        self.spent = 0  # taken since `marked_ns`
        self.marked_ns = 0
        self.pace = 0  # taken per second, as last measured
        self.largest = 0  # the largest need of late
        self.low = 0  # below this, more is asked for ahead of need
        self.used_ns = 0
        self.want = 0  # highest want number that names the row (L18)
        self.said = 0  # the highest one that the database has our answer to
        self.mine_oldest = False
        self.state: RowState | None = None

    @property
    def unsaid(self) -> bool:
        """Whether the database has not applied all that was given back: R is told again until it has (L12)."""
        return self.returned > (self.state.returned if self.state is not None else 0)

    @property
    def troubled(self) -> bool:
        """Whether the row is beyond its limit or closing: then nobody keeps anything of it (L16)."""
        return self.state is not None and (self.state.excess > 0 or not self.state.open)

    @property
    def left(self) -> int:
        """The most that a call could have here: what nobody has taken, and what is free already."""
        return self.free + (max(0, self.state.headroom) if self.state is not None else 0)


class Purse:
    """The rows that one set of budgets pays from until the first of their windows ends."""

    __slots__ = ("budgets", "keys", "slices", "until_ns")

    def __init__(
        self, budgets: tuple[Budget, ...], keys: tuple[RowKey, ...], slices: tuple[Slice, ...], until_ns: int
    ) -> None:
        self.budgets = budgets
        self.keys = keys
        self.slices = slices
        self.until_ns = until_ns


NO_PURSE: Final = Purse((), (), (), _NEVER)


class Refused(Struct, frozen=True):
    """Why money was not given: what the database said, the row that was short, and the most that could be had."""

    answer: Answer
    key: RowKey
    state: RowState | None
    left: int


class Waiter:
    """One exchange that waits for money; `done` becomes True when all of it is taken, or says why not."""

    __slots__ = ("amount", "done", "purse", "request_id", "waits_on")

    def __init__(self, request_id: str, purse: Purse, amount: int) -> None:
        self.request_id = request_id
        self.purse = purse
        self.amount = amount
        self.waits_on: RowKey | None = None  # the row that the database named when it said wait
        self.done: Refused | bool = False


class Leases:
    """Every row that this boot has borrowed from, and who waits for more."""

    def __init__(self, boot: BootId) -> None:
        self.boot = boot
        self.incarnation = 0
        self.slices: dict[RowKey, Slice] = {}
        self.waiting: dict[str, Waiter] = {}
        self.thirsty = False  # a slice runs low: a talk now saves a wait later
        self._purses: dict[int, Purse] = {}
        self._unsure: set[RowKey] = set()  # rows of talks that nobody answered: what was granted is asked again (L11)
        self._saying: dict[RowKey, int] = {}

    # --- the way of an exchange

    def purse(self, budgets: tuple[Budget, ...], now_ns: int) -> Purse:
        """The rows that a call of now pays; worked out once for each set of budgets and window."""
        purse = self._purses.get(id(budgets))
        if purse is None or purse.budgets is not budgets or now_ns >= purse.until_ns:
            if len(self._purses) >= _MOST_PURSES:
                self._purses.clear()
            purse = self._purses[id(budgets)] = self._open(budgets, now_ns)
        return purse

    def take(self, purse: Purse, amount: int) -> bool:
        """The amount of every row in one step, or nothing (L13); never past somebody who waits for one (L14)."""
        slices = purse.slices
        for mine in slices:
            if mine.free < amount or mine.blocked:
                return False
        for mine in slices:
            mine.free -= amount
            mine.spent += amount
            if amount > mine.largest:  # noqa: PLR1730 - `max` costs three times as much here
                mine.largest = amount
            if mine.free < mine.low:
                self.thirsty = True
        return True

    def give_back(self, purse: Purse, amount: int) -> None:
        """Undo a take of which nothing was written: its call never left."""
        for mine in purse.slices:
            mine.free += amount

    def settle(self, purse: Purse, amount: int, charge: int) -> Posted:
        """End a take; returns the rows of its frame. An overrun drains what is free first (L20).

        What is left over is not free yet: `slack` makes it so once the settlement is on file (L12).
        """
        if charge <= amount:
            return tuple([(key.budget, key.period, charge, charge) for key in purse.keys])
        rows = []
        for key, mine in zip(purse.keys, purse.slices, strict=True):
            extra = min(mine.free, charge - amount)
            mine.free -= extra
            rows.append((key.budget, key.period, charge, amount + extra))
        return tuple(rows)

    def slack(self, purse: Purse, amount: int, charge: int) -> None:
        """What a settlement left over, now that its frame is written (L12)."""
        if charge < amount:
            for mine in purse.slices:
                mine.free += amount - charge

    # --- waiting

    def wait(self, waiter: Waiter) -> None:
        """Queue behind whoever waits already."""
        waiter.purse = self._fresh(waiter.purse)
        self.waiting[waiter.request_id] = waiter
        for mine in waiter.purse.slices:
            mine.blocked += 1

    def leave(self, waiter: Waiter) -> None:
        """Wait no more; the want goes at the next talk, since no ask stands behind it (L17)."""
        if self.waiting.pop(waiter.request_id, None) is not None:
            for mine in waiter.purse.slices:
                mine.blocked -= 1

    # --- the money talk

    @property
    def urgent(self) -> bool:
        """Whether somebody else waits for what this worker has not given back or not answered for (L16, L18)."""
        return any(
            mine.want and not mine.mine_oldest and (mine.free or mine.said < mine.want) for mine in self.slices.values()
        )

    @property
    def lent(self) -> bool:
        """Whether anything is free here that will have to go back."""
        return any(mine.free for mine in self.slices.values())

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        """What is to be said now; what it gives back has left `free` already (L12). The `last` one keeps nothing."""
        self.thirsty = False
        acked = dict.fromkeys(self._unsure, 0)
        for key, mine in self.slices.items():
            _measure(mine, now_ns)
            if not last and not _goes_back(mine, now_ns):
                continue
            mine.returned += mine.free
            mine.free = 0
            if mine.want:
                acked[key] = mine.want
            elif mine.granted:
                acked.setdefault(key, 0)  # named, to hear when nothing of it is out any more
        waiting = islice(self.waiting.values(), _MOST_ASKS)
        asks = () if last else (*map(_ask, waiting), *self._ahead(now_ns))
        returned = {key: mine.returned for key, mine in self.slices.items() if mine.unsaid}
        talk = Talk(self.boot, self.incarnation, tail, returned, acked, asks)
        self._unsure |= talk.named()
        self._saying = {key: number for key, number in acked.items() if number}
        return talk

    def hear(self, terms: Terms) -> list[Waiter]:
        """Take in what the database answered to the latest talk; returns the waiters that are done, in their order."""
        self._unsure.clear()
        for key, number in self._saying.items():
            self.slices[key].said = number
        for key, state in terms.rows.items():
            self._hear_row(key, state)
        for key, mine in list(self.slices.items()):
            mine.want = terms.wants.get(key, 0)
            mine.mine_oldest = terms.oldest.get(key) == self.boot
            if _done_with(mine, terms.now_ns):
                del self.slices[key]
        done = [waiter for waiter in list(self.waiting.values()) if self._decide(waiter, terms)]
        for mine in self.slices.values():
            enough = _enough(mine)
            mine.low = enough if mine.free >= enough else 0  # where little is left, haste brings none
        return done

    # --- inside

    def _open(self, budgets: tuple[Budget, ...], now_ns: int) -> Purse:
        keys = [RowKey(budget.id, period_start(budget.window, now_ns)) for budget in budgets]
        ends = [period_end(budget.window, key.period) for budget, key in zip(budgets, keys, strict=True)]
        ends_ns = [_NEVER if end is None else end * 1_000_000_000 for end in ends]
        slices = [self._slice(key, end) for key, end in zip(keys, ends_ns, strict=True)]
        return Purse(budgets, tuple(keys), tuple(slices), min(ends_ns, default=_NEVER))

    def _fresh(self, purse: Purse) -> Purse:
        """The same rows, with slices that were forgotten meanwhile here again."""
        pairs = list(zip(purse.keys, purse.slices, strict=True))
        if all(self.slices.get(key) is mine for key, mine in pairs):
            return purse
        slices = tuple([self._slice(key, mine.ends_ns) for key, mine in pairs])
        fresh = self._purses[id(purse.budgets)] = Purse(purse.budgets, purse.keys, slices, purse.until_ns)
        return fresh

    def _slice(self, key: RowKey, ends_ns: int) -> Slice:
        return self.slices.get(key) or self.slices.setdefault(key, Slice(ends_ns))

    def _ahead(self, now_ns: int) -> list[Ask]:
        """Slices ahead of need where those at hand run low, so that the next request need not wait."""
        return [
            Ask(f"ahead {key.budget} {key.period}", {key: 0}, {key: _gladly(mine, mine.largest)}, {key: mine.free})
            for key, mine in self.slices.items()
            if mine.used_ns
            and now_ns - mine.used_ns < IDLE_NS
            and now_ns < mine.ends_ns
            and mine.free < 2 * _enough(mine)
            and not (mine.want or mine.blocked or mine.troubled)
        ]

    def _hear_row(self, key: RowKey, state: RowState) -> None:
        mine = self.slices.get(key)
        if mine is None:
            return  # nothing of it was out, and nobody has asked for it since
        if mine.state is None:
            # New here, or here again: nothing of it is out, so all that the database keeps for us is free.
            mine.free += state.share
            mine.granted, mine.returned = state.granted, state.returned
        elif state.granted > mine.granted:
            mine.free += state.granted - mine.granted
            mine.granted = state.granted
            mine.said = 0  # a grant makes every earlier answer void (L18)
        mine.state = state

    def _decide(self, waiter: Waiter, terms: Terms) -> bool:
        verdict = terms.verdicts.get(waiter.request_id)
        if verdict is None:
            return False
        if verdict.answer is Answer.WAIT:
            waiter.waits_on = verdict.short
            return False
        purse = waiter.purse
        if verdict.answer is Answer.GRANTED:
            if any(mine.free < waiter.amount for mine in purse.slices):
                return False  # an overrun took it meanwhile (L20): it is asked for again
            for mine in purse.slices:
                mine.free -= waiter.amount
                mine.spent += waiter.amount
                mine.largest = max(mine.largest, waiter.amount)
            waiter.done = True
        else:
            key = verdict.short or purse.keys[0]
            waiter.done = Refused(verdict.answer, key, terms.rows.get(key), min(mine.left for mine in purse.slices))
        self.leave(waiter)
        return True


def _ask(waiter: Waiter) -> Ask:
    keys, slices, amount = waiter.purse.keys, waiter.purse.slices, waiter.amount
    gladly = {key: _gladly(mine, amount) for key, mine in zip(keys, slices, strict=True)}
    have = {key: mine.free for key, mine in zip(keys, slices, strict=True)}
    return Ask(waiter.request_id, dict.fromkeys(keys, amount), gladly, have)


def _gladly(mine: Slice, need: int) -> int:
    """The slice that goes with a need: two seconds of the row's pace, and three needs more where there is none yet.

    A slice bounded by three needs would send every other exchange of a busy worker to the database. What others may
    lack meanwhile is bounded by the database, which lends half of a worker's part of what is left, by L16, which
    gives idle slices back, and by L18: where anybody waits, the need is all that is lent.
    """
    return need + max(2 * max(mine.pace, mine.spent), 3 * need)


def _enough(mine: Slice) -> int:
    """What a slice should not fall below: two needs, or what is taken while a talk is under way at worst."""
    return max(2 * mine.largest, mine.pace >> 2)


def _measure(mine: Slice, now_ns: int) -> None:
    if mine.spent:
        mine.used_ns = now_ns
    elapsed = now_ns - mine.marked_ns
    if elapsed >= _WINDOW_NS:
        if not mine.spent:
            mine.largest -= mine.largest >> 2
        mine.pace = mine.spent * 1_000_000_000 // elapsed
        mine.spent = 0
        mine.marked_ns = now_ns


def _goes_back(mine: Slice, now_ns: int) -> bool:
    """Whether the free slice goes back (L16): the row is in trouble or over, somebody wants it, nobody used it."""
    if mine.troubled or (mine.want and not mine.mine_oldest):
        return True
    if mine.blocked:
        return False
    return mine.ends_ns <= now_ns or now_ns - mine.used_ns >= IDLE_NS


def _done_with(mine: Slice, now_ns: int) -> bool:
    """Whether a row is idle and nothing of it is out any more, so that it can be forgotten."""
    if mine.free or mine.blocked or mine.unsaid or now_ns - mine.used_ns < IDLE_NS:
        return False
    return mine.state is None or not mine.state.share
