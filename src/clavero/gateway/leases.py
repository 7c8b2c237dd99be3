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
from clavero.domain.ledger import Ack, Answer, Ask, BootId, RowState, Talk, Terms
from clavero.gateway.slices import IDLE_NS, Slice, done_with, enough, gladly, goes_back, measure

_MOST_PURSES: Final = 8192
_MOST_ASKS: Final = 200  # of one talk: it keeps others from the database for as long as it takes
_NEVER: Final = 1 << 63

Posted = tuple[tuple[str, int, int, int], ...]  # rows of a settle frame: budget, period, charge, covered


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
        self._forgotten: set[RowKey] = set()  # rows whose empty leases the database may forget as well

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
            mine.slack += amount
            mine.freed += amount

    def settle(self, purse: Purse, amount: int, charge: int) -> Posted:
        """End a take; returns the rows of its frame. An overrun drains what is free first (L20).

        What is left over is not free yet: `slack` makes it so once the settlement is on file (L12).
        """
        if charge <= amount:
            for mine in purse.slices:
                mine.slack += amount - charge
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
                mine.freed += amount - charge

    # --- waiting

    def wait(self, waiter: Waiter) -> None:
        """Queue behind whoever waits already."""
        waiter.purse = self._fresh(waiter.purse)
        self.waiting[waiter.request_id] = waiter
        for mine in waiter.purse.slices:
            mine.blocked += 1

    def leave(self, waiter: Waiter) -> None:
        """Wait no more; the want goes at the next talk, since no ask stands behind it (L17).

        What it was perhaps granted in the talk under way counts as left over: others may have been refused for it.
        """
        if self.waiting.pop(waiter.request_id, None) is None:
            return
        over = 0 if waiter.done else waiter.amount
        for mine in waiter.purse.slices:
            mine.blocked -= 1
            mine.slack += over
            mine.freed += over

    # --- the money talk

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for what this worker has not given back or not answered for (L16, L18)."""
        return any(
            (mine.free and not mine.mine_oldest) or (mine.share and mine.said < mine.want)
            for mine in self.slices.values()
            if mine.want
        )

    @property
    def wanted(self) -> bool:
        """Whether somebody waits on a row that this worker has a part of: more answers may be asked for (L18)."""
        return any(mine.want and (mine.free or mine.share) for mine in self.slices.values())

    @property
    def lent(self) -> bool:
        """Whether anything is out here that others may come to wait for."""
        return any(mine.free or mine.share for mine in self.slices.values())

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        """What is to be said now; what it gives back has left `free` already (L12). The `last` one keeps nothing."""
        self.thirsty = False
        about = set(self._unsure)
        for key, mine in self.slices.items():
            measure(mine, now_ns)
            mine.freed_then = mine.freed
            if last or goes_back(mine, now_ns):
                mine.returned += mine.free
                mine.free = 0
                if mine.granted:
                    about.add(key)  # to hear when nothing of it is out any more
        waiting = islice(self.waiting.values(), _MOST_ASKS)
        asks = () if last else (*map(_ask, waiting), *self._ahead(now_ns))
        returned = {key: mine.returned for key, mine in self.slices.items() if mine.unsaid}
        acked = {
            key: Ack(mine.want, mine.freed - mine.free, mine.slack)
            for key, mine in self.slices.items()
            if (mine.want or mine.blocked) and key not in self._unsure
        }
        talk = Talk(self.boot, self.incarnation, tail, returned, acked, asks, tuple(about), tuple(self._forgotten))
        self._unsure |= talk.named()
        self._saying = {key: ack.number for key, ack in acked.items()}
        return talk

    def hear(self, terms: Terms) -> list[Waiter]:
        """Take in what the database answered to the latest talk; returns the waiters that are done, in their order."""
        self._unsure.clear()
        self._forgotten.clear()
        for key, number in self._saying.items():
            self.slices[key].said = number
        for key, state in terms.rows.items():
            self._hear_row(key, state)
        for key, mine in list(self.slices.items()):
            mine.want = terms.wants.get(key, 0)
            mine.mine_oldest = terms.oldest.get(key) == self.boot
            if done_with(mine, terms.now_ns):
                del self.slices[key]
                self._forgotten.add(key)
        done = [waiter for waiter in list(self.waiting.values()) if self._decide(waiter, terms)]
        for mine in self.slices.values():
            few = enough(mine)
            mine.low = few if mine.free >= few else 0  # where little is left, haste brings none
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
        mine = self.slices.get(key)
        if mine is None:
            mine = self.slices[key] = Slice(ends_ns)
            self._forgotten.discard(key)
        return mine

    def _ahead(self, now_ns: int) -> list[Ask]:
        """Slices ahead of need where those at hand run low, so that the next request need not wait."""
        return [
            Ask(f"ahead {key.budget} {key.period}", {key: 0}, {key: gladly(mine, mine.largest)}, {key: mine.free})
            for key, mine in self.slices.items()
            if mine.used_ns
            and now_ns - mine.used_ns < IDLE_NS
            and now_ns < mine.ends_ns
            and mine.free < 2 * enough(mine)
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
            mine = self.slices[key]
            if verdict.short_by and mine.slack - mine.freed_then >= verdict.short_by:
                return False  # what was missing has come here meanwhile (L18)
            waiter.done = Refused(verdict.answer, key, terms.rows.get(key), min(mine.left for mine in purse.slices))
        self.leave(waiter)
        return True


def _ask(waiter: Waiter) -> Ask:
    keys, slices, amount = waiter.purse.keys, waiter.purse.slices, waiter.amount
    wished = {key: gladly(mine, amount) for key, mine in zip(keys, slices, strict=True)}
    have = {key: mine.free for key, mine in zip(keys, slices, strict=True)}
    return Ask(waiter.request_id, dict.fromkeys(keys, amount), wished, have)
