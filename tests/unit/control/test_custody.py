import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.control import custody, keys, members
from clavero.control.commit import Desk, perform
from clavero.control.custody import Swept, Waiting
from clavero.control.keys import NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.keys import KeyState
from clavero.domain.members import Custody, OrphanPolicy
from clavero.testing.clock import StoppedClock

DAY_NS = 86_400 * 10**9
NAMES = ("prod-chat-01", "prod-chat-02", "prod-chat-03")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, clock) as opened:
        for name in NAMES:
            await perform(opened, SYSTEM, keys.create, wanted=NewKey(name=name, owner="asha"))
        await perform(opened, SYSTEM, keys.revoke, name=NAMES[2])
        yield replace(opened, custody=Custody(transfer_days=7))


@pytest.mark.requirement(74)
async def test_keys_wait_for_the_days_that_were_set_and_work_meanwhile(desk: Desk, clock: StoppedClock) -> None:
    assert await custody.waiting(desk) == Waiting()
    left = await perform(desk, SYSTEM, members.leave, name="asha")
    assert left.due_ns == clock.wall_ns() + 7 * DAY_NS
    assert await custody.waiting(desk) == Waiting(2, 0, left.due_ns)
    assert await custody.sweep(desk) == Swept()
    clock.advance(7 * DAY_NS / 1e9)
    assert await custody.waiting(desk) == Waiting(2, 2, left.due_ns)


async def test_what_is_overdue_is_told_and_by_default_goes_on_working(desk: Desk, clock: StoppedClock) -> None:
    await perform(desk, SYSTEM, members.leave, name="asha")
    clock.advance(8 * DAY_NS / 1e9)
    assert await custody.sweep(desk) == Swept(NAMES[:2])
    assert (await keys.show_key(desk, NAMES[0])).state is KeyState.ACTIVE


@pytest.mark.requirement(74)
async def test_by_setting_it_is_disabled_with_the_reason_in_the_audit(desk: Desk, clock: StoppedClock) -> None:
    desk = replace(desk, custody=Custody(transfer_days=7, orphan_keys=OrphanPolicy.SUSPEND))
    await perform(desk, SYSTEM, members.leave, name="asha")
    assert await custody.sweep(desk) == Swept()
    clock.advance(8 * DAY_NS / 1e9)
    assert await custody.sweep(desk) == Swept(NAMES[:2], NAMES[:2])
    key = await keys.show_key(desk, NAMES[0])
    assert (key.state, key.reason.startswith("its owner asha left")) == (KeyState.DISABLED, True)
    assert (await keys.show_key(desk, NAMES[2])).state is KeyState.REVOKED
    async with desk.store.read() as look:
        rows = [row for row in await look.find(AuditRow) if row.action == "key.disable"]
    assert [(row.actor, row.reason.startswith("its owner asha left")) for row in rows] == [("clavero", True)] * 2
    assert await custody.sweep(desk) == Swept()


async def test_the_same_is_told_once_and_again_after_an_hour(
    desk: Desk, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await perform(desk, SYSTEM, members.leave, name="asha")
    clock.advance(8 * DAY_NS / 1e9)
    monkeypatch.setattr(custody, "EVERY_SECONDS", 0.001)
    told: asyncio.Queue[Swept] = asyncio.Queue()
    duty = asyncio.ensure_future(custody.forever(desk, told.put_nowait))
    assert await told.get() == Swept(NAMES[:2])
    await asyncio.sleep(0.05)
    assert told.empty()
    clock.advance(3600)
    assert await told.get() == Swept(NAMES[:2])
    duty.cancel()
