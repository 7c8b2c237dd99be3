"""Concurrent calls pass a cap that was checked first and spent afterwards.

BerriAI/litellm#34732 and #40095, QuantumNous/new-api#6609: each call reads what is spent, finds room, and goes; all of
them together spend more than there is. Here the check and the hold are one step, so the same race stays below the cap.
The naive way stands beside it as a mutant and must overspend in the same race.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.errors import InsufficientQuota
from clavero.domain.ledger import BootId
from clavero.domain.pricing import Bound, Price
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases
from clavero.gateway.reserve import Wish, reserve
from clavero.testing.journal import MemoryJournal
from clavero.testing.lender import MemoryLedger, MemoryLender
from clavero.wire.journal import Settle

CENT = 10_000_000
PRICE = Price(id="x/y", version="v", input=0, output=1000 * CENT)
CALLS = 8
EACH = 3 * CENT  # what a call costs in the end, and at worst
KEY = Budget(
    id=budget_id(Subject.KEY, "x", Window.DAY), subject=Subject.KEY, name="x", window=Window.DAY, limit_n=10 * CENT
)

Call = Callable[[str], Awaitable[bool]]


class Race:
    """Eight coroutines that start together on one budget; a provider takes a moment to answer."""

    def __init__(self, bank: Bank, journal: MemoryJournal) -> None:
        self.bank = bank
        self.journal = journal
        self.posted = 0  # what the naive way looks at

    async def strict(self, name: str) -> bool:
        wish = Wish("y", PRICE, Bound(0), (KEY,))
        wish.asked = 3000
        try:
            with await reserve(name, wish, self.bank, self.journal) as hold:
                assert hold.amount == EACH
                left = asyncio.Event()
                hold.when_written(left.set, left.set, Exchange(name, 1))
                await left.wait()
                await asyncio.sleep(0.001)
                hold.settle(Exchange(name, 1, cost_n=EACH))
        except InsufficientQuota:
            return False
        return True

    async def naive(self, name: str) -> bool:
        if self.posted + EACH > KEY.limit_n:
            return False
        await asyncio.sleep(0.001)
        self.posted += EACH
        self.journal.append(Settle(name, ((KEY.id, 0, EACH, EACH),), "", Exchange(name, 1, cost_n=EACH)))
        return True

    async def run(self, call: Call) -> int:
        """What was spent in the end, nano-USD, by the journal."""
        await asyncio.gather(*[call(f"r{number}") for number in range(CALLS)])
        await asyncio.sleep(0)
        return sum(frame.exchange.cost_n for frame in self.journal.frames if isinstance(frame, Settle))


@pytest.fixture
async def race() -> AsyncIterator[Race]:
    ledger, journal = MemoryLedger(SystemClock()), MemoryJournal()
    ledger.add(KEY)
    bank = Bank(MemoryLender(ledger), journal, Leases(BootId("a" * 32)), SystemClock())
    await bank.register("w")
    bank.start()
    yield Race(bank, journal)
    await bank.close()


async def test_eight_calls_that_race_for_one_budget_stay_below_it(race: Race) -> None:
    assert await race.run(race.strict) == 3 * EACH  # all that fits, and nothing more


async def test_the_naive_way_overspends_in_the_same_race(race: Race) -> None:
    assert await race.run(race.naive) > KEY.limit_n
