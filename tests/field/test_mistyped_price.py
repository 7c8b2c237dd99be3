"""litellm#20615: one mistyped price made spend so large, or negative, that no later correction mended it.

Here a price is bounded before it is kept, and a correction changes what is charged from then on, never what was.
"""

from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import catalog
from clavero.control.commit import perform
from clavero.domain.access import SYSTEM
from clavero.domain.money import LARGEST
from clavero.domain.pricing import Price, cost
from clavero.domain.refusals import InvalidValue
from clavero.domain.usage import Tokens

MINI = "openai/gpt-4o-mini"
MILLION = Tokens(1_000_000, 0, 0, 1_000_000, 0)


@pytest.mark.parametrize("wrong", [-1, 10**18, 2**63])
async def test_a_price_beyond_reason_is_refused_and_the_old_one_stays(tmp_path: Path, wrong: int) -> None:
    async with open_desk(tmp_path) as desk:
        await catalog.update_prices(desk)
        before = await catalog.list_prices(desk, containing=MINI)
        with pytest.raises(InvalidValue):
            await perform(desk, SYSTEM, catalog.set_price, price=Price(id=MINI, version="", input=wrong))
        assert await catalog.list_prices(desk, containing=MINI) == before


async def test_the_dearest_price_that_is_kept_still_fits_the_ledger_a_thousand_times(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        dearest = Price(id=MINI, version="", input=10**15, output=10**15)
        price = await perform(desk, SYSTEM, catalog.set_price, price=dearest)
    assert 1000 * cost(price, MILLION) < LARGEST
