"""Belonging to a team hides the budget of the user: BerriAI/litellm#11962.

Every budget that applies is held together with all others or none is: whichever is short decides, widest or narrowest.
"""

import itertools

import pytest

from clavero.adapters.clock import SystemClock
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.errors import InsufficientQuota
from clavero.domain.ledger import BootId
from clavero.domain.pricing import Bound, Price
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases
from clavero.gateway.reserve import Wish, reserve
from clavero.testing.journal import MemoryJournal
from clavero.testing.lender import MemoryLedger, MemoryLender

PRICE = Price(id="x/y", version="v", input=0, output=1_000_000)  # a nano-dollar a token
BOOTS = itertools.count()


@pytest.mark.requirement(50)
@pytest.mark.parametrize("short", Subject)
async def test_the_budget_that_is_short_decides_whatever_else_applies(short: Subject) -> None:
    budgets = tuple(
        Budget(
            id=budget_id(subject, "x", Window.MONTH), subject=subject, name="x", window=Window.MONTH,
            limit_n=500 if subject is short else 1_000_000,
        )
        for subject in Subject
    )  # fmt: skip
    ledger, journal = MemoryLedger(SystemClock()), MemoryJournal()
    ledger.add(*budgets)
    bank = Bank(MemoryLender(ledger), journal, Leases(BootId(f"{next(BOOTS):032x}")), SystemClock())
    await bank.register("w")
    bank.start()
    wish = Wish("y", PRICE, Bound(0), budgets)
    wish.asked = 400
    assert (await reserve("r1", wish, bank, journal)).amount == 400
    with pytest.raises(InsufficientQuota) as refused:
        await reserve("r2", wish, bank, journal)
    assert refused.value.facts["budget"] == f"{short}/x"
    assert refused.value.facts["left"] == 100
    await bank.close()
