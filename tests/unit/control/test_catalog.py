from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.control import catalog
from clavero.control.commit import Desk, perform
from clavero.control.prices.shipped import shipped
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.pricing import Price, Tier
from clavero.domain.refusals import InvalidValue, NotFound
from clavero.testing.clock import StoppedClock

MINI = "openai/gpt-4o-mini"
OWN = Price(id="house/llama-3", version="", input=10, output=20)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, StoppedClock()) as opened:
        yield opened


async def price(desk: Desk, name: str) -> Price | None:
    async with desk.store.read() as look:
        return await look.get(Price, name)


async def test_the_shipped_list_is_one_operation_and_one_audit_row(desk: Desk) -> None:
    done = await catalog.update_prices(desk)
    assert done is not None
    assert done.changed == len(shipped()) == len(await catalog.list_prices(desk))
    assert await catalog.update_prices(desk) is None, "a second start has nothing to say"
    async with desk.store.read() as look:
        assert [row.action for row in await look.find(AuditRow)] == ["price.import"]
        log = await look.rows("change_log_all")
    assert len(log) == done.changed
    assert await price(desk, MINI) == next(one for one in shipped() if one.id == MINI)


async def test_a_price_of_ones_own_survives_every_list(desk: Desk) -> None:
    await catalog.update_prices(desk)
    own = await perform(desk, SYSTEM, catalog.set_price, price=Price(id=MINI, version="", input=7, output=9))
    assert own.version == "own-2027-01-15T08:00:00Z"
    assert own.max_output > 0, "what it does not say is as the list has it"
    assert await catalog.update_prices(desk) is None
    newer = tuple(replace(one, version="2099-01-01") for one in shipped())
    done = await perform(desk, SYSTEM, catalog.import_prices, prices=newer)
    assert (done.kept, done.changed) == (1, len(newer) - 1)
    assert await price(desk, MINI) == own


async def test_without_ones_own_the_shipped_price_counts_again_or_the_model_is_unpriced(desk: Desk) -> None:
    await perform(desk, SYSTEM, catalog.set_price, price=Price(id=MINI, version="", input=7))
    await perform(desk, SYSTEM, catalog.set_price, price=OWN)
    await perform(desk, SYSTEM, catalog.remove_price, name=MINI)
    await perform(desk, SYSTEM, catalog.remove_price, name=OWN.id)
    back = await price(desk, MINI)
    assert back is not None
    assert back == next(one for one in shipped() if one.id == MINI)
    assert await price(desk, OWN.id) is None
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, catalog.remove_price, name=OWN.id)


async def test_prices_are_found_by_a_part_of_their_name(desk: Desk) -> None:
    await perform(desk, SYSTEM, catalog.set_price, price=OWN)
    assert [one.id for one in await catalog.list_prices(desk, containing="LLAMA")] == [OWN.id]
    assert await catalog.list_prices(desk, containing="%_%") == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(OWN, id="llama-3"),
        replace(OWN, id="house/"),
        replace(OWN, id="house/sk-" + "a" * 40),
        replace(OWN, input=-1),
        replace(OWN, output=10**15 + 1),
        replace(OWN, cached=-1),
        replace(OWN, image=-5),
        replace(OWN, max_output=2**31 + 1),
        replace(OWN, cap_parameter="max"),
        replace(OWN, tiers=(Tier(above=0, input=1, output=1),)),
        replace(OWN, tiers=(Tier(above=9, input=1, output=1), Tier(above=5, input=1, output=1))),
        replace(OWN, tiers=(Tier(above=9, input=-1, output=1),)),
    ],
)
async def test_a_mistyped_price_is_refused_before_it_can_poison_spend(desk: Desk, wrong: Price) -> None:
    """litellm#20615."""
    with pytest.raises(InvalidValue):
        await perform(desk, SYSTEM, catalog.set_price, price=wrong)
    with pytest.raises(InvalidValue):
        await perform(desk, SYSTEM, catalog.import_prices, prices=(OWN, wrong))
    assert await catalog.list_prices(desk) == []
