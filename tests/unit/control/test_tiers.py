from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk

from clavero.control import keys, organisation, tiers
from clavero.control.commit import Desk, perform
from clavero.control.keys import KeyEdit, NewKey
from clavero.control.organisation import Contact
from clavero.domain.access import SYSTEM
from clavero.domain.keys import Key
from clavero.domain.organisation import Tier
from clavero.domain.refusals import TierForbids
from clavero.domain.tiers import DAY_NS, Demand
from clavero.testing.clock import StoppedClock

NAME = "prod-chat-01"


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, clock) as opened:
        yield opened


async def key(desk: Desk, name: str = NAME, days: int = 0) -> Key:
    expires_ns = desk.clock.wall_ns() + days * DAY_NS if days else 0
    wanted = NewKey(name=name, owner="asha", expires_ns=expires_ns)
    return (await perform(desk, SYSTEM, keys.create, wanted=wanted)).key


async def critical(desk: Desk) -> None:
    await perform(desk, SYSTEM, organisation.update_environment, name="prod", tier=Tier.CRITICAL)


async def on_call(desk: Desk) -> None:
    contact = Contact(on_call="#chat")
    await perform(desk, SYSTEM, organisation.update_service, name="chat", contact=contact)


@pytest.mark.requirement(9)
async def test_what_breaks_its_tier_is_not_made_and_leaves_nothing(desk: Desk) -> None:
    await key(desk)
    await critical(desk)
    with pytest.raises(TierForbids, match="ends within 30 days") as caught:
        await key(desk, "prod-chat-02")
    assert caught.value.fix == "--expires 30d"
    with pytest.raises(TierForbids, match="nobody on call"):
        await key(desk, "prod-chat-02", 30)
    with pytest.raises(TierForbids, match="nobody on call") as caught:
        await key(desk, "prod-mail-01", 30)
    assert caught.value.fix == "clavero service add mail --project PROJECT --on-call WHO"
    assert [one.name for one in await keys.list_keys(desk)] == [NAME]
    await on_call(desk)
    await key(desk, "prod-chat-02", 30)
    await key(desk, "dev-chat-01")


async def test_keys_that_are_older_than_their_demand_are_drift_until_they_are_over(
    desk: Desk, clock: StoppedClock
) -> None:
    await key(desk)
    assert await tiers.drift(desk) == []
    await critical(desk)
    clock.advance(30 * 86_400)
    found = await tiers.drift(desk)
    assert [(one.key.name, one.breach.demand) for one in found] == [
        (NAME, Demand.ROTATION), (NAME, Demand.END), (NAME, Demand.ON_CALL),
    ]  # fmt: skip
    await on_call(desk)
    await perform(desk, SYSTEM, keys.rotate, name=NAME)
    await perform(desk, SYSTEM, keys.update, name=NAME, edit=KeyEdit(expires_ns=clock.wall_ns() + 30 * DAY_NS))
    assert await tiers.drift(desk) == []
    clock.advance(31 * 86_400)
    assert len(await tiers.drift(desk)) == 1
    await perform(desk, SYSTEM, keys.revoke, name=NAME)
    assert await tiers.drift(desk) == []


async def test_an_end_is_moved_within_the_tier_alone_and_other_changes_are_free(desk: Desk) -> None:
    await key(desk)
    await critical(desk)
    for days in (0, 31):
        edit = KeyEdit(expires_ns=desk.clock.wall_ns() + days * DAY_NS if days else 0)
        with pytest.raises(TierForbids):
            await perform(desk, SYSTEM, keys.update, name=NAME, edit=edit)
    await perform(desk, SYSTEM, keys.update, name=NAME, edit=KeyEdit(purpose="chat"))


async def test_rotating_renews_the_term_of_a_critical_key_and_gives_none_by_the_way(
    desk: Desk, clock: StoppedClock
) -> None:
    await key(desk)
    await key(desk, "prod-chat-02", 30)
    await key(desk, "dev-chat-01", 5)
    await critical(desk)
    clock.advance(86_400)
    ends = {}
    for name in (NAME, "prod-chat-02", "dev-chat-01"):
        ends[name] = (await perform(desk, SYSTEM, keys.rotate, name=name)).key.expires_ns - clock.wall_ns()
    assert ends == {NAME: -clock.wall_ns(), "prod-chat-02": 30 * DAY_NS, "dev-chat-01": 4 * DAY_NS}
    with pytest.raises(TierForbids) as caught:
        await perform(desk, SYSTEM, keys.rotate, name=NAME, grace_ns=31 * DAY_NS)
    assert caught.value.fix == "--grace 24h"
