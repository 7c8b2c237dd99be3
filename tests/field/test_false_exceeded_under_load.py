"""A budget that says it is exceeded although it is not, because what was set aside never came back.

BerriAI/litellm#36926, and phantom reservations in #27639 and #30522. A call here may end in any way, by an answer, a
failure, a caller who leaves or a full disk: what it did not spend is there for the next one.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.errors import InsufficientQuota
from clavero.domain.ledger import BootId
from clavero.domain.pricing import Bound, Price
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases
from clavero.gateway.reserve import Hold, Wish, reserve
from clavero.testing.journal import MemoryJournal
from clavero.testing.lender import MemoryLedger, MemoryLender

LIMIT = 1000
WORST = 100
PRICE = Price(id="x/y", version="v", input=0, output=1_000_000)  # a nano-dollar a token
KEY = Budget(
    id=budget_id(Subject.KEY, "x", Window.DAY), subject=Subject.KEY, name="x", window=Window.DAY, limit_n=LIMIT
)


class Till:
    """One worker on one budget."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        ledger = MemoryLedger(SystemClock())
        ledger.add(KEY)
        self.bank = Bank(MemoryLender(ledger), self.journal, Leases(BootId("a" * 32)), SystemClock())

    async def hold(self, name: str, worst: int) -> Hold:
        wish = Wish("y", PRICE, Bound(0), (KEY,))
        wish.asked = worst
        return await reserve(name, wish, self.bank, self.journal)


@pytest.fixture
async def till() -> AsyncIterator[Till]:
    made = Till()
    await made.bank.register("w")
    made.bank.start()
    yield made
    await made.bank.close()


async def answered(till: Till, name: str, charge: int) -> None:
    with await till.hold(name, WORST) as hold:
        hold.when_written(lambda: None, lambda: None, Exchange(name, 1))
        await asyncio.sleep(0.001)
        hold.settle(Exchange(name, 1, cost_n=charge))
    await asyncio.sleep(0)


async def test_whatever_ends_a_call_the_whole_rest_can_be_held_afterwards(till: Till) -> None:
    for number in range(50):  # each sets a hundred times aside what it spends
        await asyncio.gather(*[answered(till, f"r{number}.{one}", charge=1) for one in range(4)])
    spent = 200
    for number in range(3):
        leaving = asyncio.ensure_future(answered(till, f"l{number}", 0))
        await asyncio.sleep(0)
        leaving.cancel()
        spent += WORST if await _was_queued(leaving, till, f"l{number}") else 0
    till.journal.full = True
    with await till.hold("full", 10) as hold:
        hold.when_written(lambda: None, lambda: None, Exchange("full", 1))
        await asyncio.sleep(0)
        hold.settle(Exchange("full", 1))
    till.journal.full = False
    till.journal.flush()
    assert (await till.hold("rest", LIMIT - spent)).amount == LIMIT - spent
    with pytest.raises(InsufficientQuota):
        await till.hold("more", 1)


async def _was_queued(leaving: "asyncio.Future[None]", till: Till, name: str) -> bool:
    """Whether its hold was on the way: then nobody knows what it cost, and it counts in full."""
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.sleep(0)
    return any(getattr(frame, "id", "") == name for frame in till.journal.frames)
