"""RESERVE: set the worst case aside before the call leaves, with an output cap that the provider is told.

All budgets that apply are held together or not at all. Where money is at hand nothing waits. The hold's frame is on
file before the call leaves, and one frame at the end is settlement and usage row at once, so that their sums agree by
construction.
"""

from collections.abc import Callable

from msgspec.structs import replace

from clavero.domain.budgets import Budget, Policy, period_end, utc
from clavero.domain.errors import (
    BudgetBusy,
    InsufficientQuota,
    Problem,
    RequestOverCeiling,
    StorageFull,
    UnboundedInput,
    UnpricedModel,
)
from clavero.domain.ledger import Answer
from clavero.domain.posting import AMOUNT_MAX, ESTIMATED
from clavero.domain.pricing import Bound, Price, affordable, worst_case
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import NO_PURSE, Purse, Refused
from clavero.ports.journal import Journal
from clavero.wire import journal as frames

MIN_OUTPUT_TOKENS = 256  # below this, no answer is worth its price
_MOST_TRIES = 4  # of a smaller cap, where others take the rest at the same time
OVERRUN = "overrun"


class Wish:
    """What one leg wants to spend: its price and bound, and the output cap that was asked for or is usual."""

    __slots__ = ("asked", "bound", "budgets", "choices", "model", "most", "output", "price", "unbounded", "usual")

    def __init__(self, model: str, price: Price | None, bound: Bound, budgets: tuple[Budget, ...]) -> None:
        self.model = model
        self.price = price
        self.bound = bound
        self.budgets = budgets
        self.unbounded: tuple[str, ...] = ()
        self.output = True  # False: embeddings and counts have none
        self.asked: int | None = None  # the cap that was asked for
        self.most = 0  # the model's own maximum; 0 is unknown
        self.usual = 4096  # where nothing is asked
        self.choices = 1

    @property
    def cap(self) -> int:
        """The output cap to begin with: what is asked or usual, never above the model's maximum."""
        if not self.output:
            return 0
        wanted = self.usual if self.asked is None else self.asked
        return min(wanted, self.most) if self.most else wanted

    def least(self, policy: Policy) -> int:
        """The smallest cap that may be had instead, by the policy of the budget that is short; else the cap itself."""
        clamps = self.asked is None or policy is Policy.CLAMP
        return min(self.cap, MIN_OUTPUT_TOKENS) if clamps else self.cap

    def cost(self, cap: int) -> int:
        """The worst case with this cap, nano-USD; 0 where there is no price and no budget."""
        return worst_case(self.price, self.bound, cap * self.choices) if self.price is not None else 0

    def cap_for(self, money: int) -> int:
        """The largest cap that this money buys; below 0 where it does not buy the input."""
        if self.price is None:
            return self.cap
        tokens = affordable(self.price, self.bound, money)
        return tokens // self.choices if tokens >= 0 else -1


class Hold:
    """Money set aside for one leg. Once its frame is queued it is settled exactly once, however the leg ends."""

    __slots__ = (
        "_bank", "_charge", "_journal", "_purse", "_then", "amount", "at_ns", "cap", "exchange", "id", "settled",
    )  # fmt: skip

    def __init__(self, identity: str, purse: Purse, amount: int, cap: int, bank: Bank, journal: Journal) -> None:
        self.id = identity
        self.cap = cap
        self.amount = amount
        self.at_ns = bank.latest_ns
        self.settled = False
        self._charge = 0
        self._then: Callable[[], None] | None = None
        self._purse = purse
        self.exchange: Exchange | None = None  # the row of its frame
        self._bank = bank
        self._journal = journal

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *_: object) -> None:
        """A hold whose frame was never queued is free again; one that nobody settled counts in full."""
        if self.settled:
            return
        if self.exchange is None:
            self.settled = True
            self._bank.leases.give_back(self._purse, self.amount)
        else:
            worst = replace(self.exchange, cost_n=self.amount, estimated=True, outcome="failed")
            self.settle(worst, ESTIMATED)

    @property
    def left(self) -> bool:
        """Whether its frame is queued, so that a settlement follows."""
        return self.exchange is not None

    def when_written(self, send: Callable[[], None], failed: Callable[[], None], exchange: Exchange) -> None:
        """Queue the hold's frame; `send` runs once it is on file, `failed` where the call must not leave.

        Either way a settlement has to follow, of nothing where the call did not leave: the frame may be on file.
        """
        self.exchange = exchange
        amount = self.amount
        rows = tuple([(key.budget, key.period, amount) for key in self._purse.keys])
        self._journal.append(frames.Hold(self.id, self.at_ns, rows, exchange), send, failed)

    def settle(self, exchange: Exchange, flag: str = "", then: Callable[[], None] | None = None) -> None:
        """Post what it came to, `exchange.cost_n`, once; `then` runs when the frame is on file.

        Where the file cannot be written for now, `then` does not wait for it, but what is left over does (L12).
        """
        if self.settled:
            return
        self.settled = True
        charge, amount, purse, leases = exchange.cost_n, self.amount, self._purse, self._bank.leases
        if charge > amount and purse.keys:
            flag = OVERRUN
        self._charge, self._then = charge, then
        rows = leases.settle(purse, amount, charge)
        self._journal.append(frames.Settle(self.id, rows, flag, exchange), self._written, self._tell)

    def _written(self) -> None:
        self._bank.leases.slack(self._purse, self.amount, self._charge)
        self._tell()

    def _tell(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()


async def reserve(identity: str, wish: Wish, bank: Bank, journal: Journal) -> Hold:
    """The hold for a leg; raises what forbids it: no price, no bound, no money (with proof), no disk."""
    budgets = wish.budgets
    if journal.holds_refused:
        raise StorageFull(retry_after=5)
    cap, amount, purse = wish.cap, 0, bank.open(budgets)
    if budgets:
        _check_bounded(wish)
        amount = wish.cost(cap)
    if not amount:
        return Hold(identity, NO_PURSE, 0, cap, bank, journal)
    if amount <= AMOUNT_MAX and bank.take(purse, amount):
        return Hold(identity, purse, amount, cap, bank, journal)
    return await _wait(identity, wish, purse, bank, journal)


async def _wait(identity: str, wish: Wish, purse: Purse, bank: Bank, journal: Journal) -> Hold:
    """Ask the database for what is missing; where it proves that it is not there, for what the rest buys."""
    cap, short = wish.cap, ""
    for _ in range(_MOST_TRIES):
        amount = wish.cost(cap)
        if amount > AMOUNT_MAX:
            raise RequestOverCeiling(worst=amount, ceiling=AMOUNT_MAX)
        had = await bank.wait(identity, purse, amount)
        if isinstance(had, Purse):
            return Hold(identity, had, amount, cap, bank, journal)
        if had.answer is Answer.GONE:
            raise BudgetBusy(budget=had.key.budget, retry_after=1)  # deleted just now: the view hears of it in a moment
        short, budget = had.key.budget, _budget(had, wish)
        smaller = min(cap - 1, wish.cap_for(had.left))
        if smaller < wish.least(budget.policy):
            raise _insufficient(had, budget, amount)
        cap = smaller
    raise BudgetBusy(budget=short, retry_after=1)


def _check_bounded(wish: Wish) -> None:
    if wish.price is None:
        raise UnpricedModel(model=wish.model)
    if wish.unbounded:
        raise UnboundedInput(what=wish.unbounded[0])


def _budget(refused: Refused, wish: Wish) -> Budget:
    return next(budget for budget in wish.budgets if budget.id == refused.key.budget)


def _insufficient(refused: Refused, budget: Budget, worst: int) -> Problem:
    state = refused.state
    end = period_end(budget.window, refused.key.period)
    limit = state.limit if state is not None else budget.limit_n
    posted = state.posted if state is not None else 0
    return InsufficientQuota(
        budget=f"{budget.subject}/{budget.name}",
        left=refused.left,
        worst=worst,
        limit_n=limit,
        spent_n=posted,
        held_n=max(0, limit - posted - refused.left),
        resets_at=utc(end) if end is not None else "",
    )
