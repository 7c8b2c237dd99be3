from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.control import custody, freezes, keys, members
from clavero.control.commit import Desk, perform
from clavero.control.keys import KeyEdit, NewKey
from clavero.control.members import NewMember
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.keys import KeyState
from clavero.domain.members import Custody, OrphanPolicy
from clavero.domain.organisation import Environment
from clavero.domain.refusals import EnvironmentFrozen, InvalidValue, NotFound, StateForbids
from clavero.testing.clock import StoppedClock

HOUR_NS = 3600 * 10**9
NAME = "prod-chat-01"
Work = Callable[..., Awaitable[Any]]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, clock) as opened:
        await perform(opened, SYSTEM, members.add_member, wanted=NewMember(name="asha"))
        await perform(opened, SYSTEM, keys.create, wanted=NewKey(name=NAME, owner="asha"))
        yield opened


async def freeze(desk: Desk, begin: int = 0, end: int = 4, reason: str = "launch") -> Environment:
    now_ns = desk.clock.wall_ns()
    times = {"from_ns": now_ns + begin * HOUR_NS, "until_ns": now_ns + end * HOUR_NS}
    return await perform(desk, SYSTEM, freezes.freeze, name="prod", reason=reason, **times)


CHANGES: dict[str, tuple[Work, dict[str, Any]]] = {
    "create": (keys.create, {"wanted": NewKey(name="prod-chat-02", owner="asha")}),
    "rotate": (keys.rotate, {"name": NAME}),
    "disable": (keys.disable, {"name": NAME}),
    "update": (keys.update, {"name": NAME, "edit": KeyEdit(purpose="chat")}),
    "transfer": (keys.transfer, {"name": NAME, "to": "asha"}),
    "transfer all": (members.transfer_all, {"name": "asha", "to": "asha"}),
}


@pytest.mark.requirement(66)
@pytest.mark.parametrize("change", CHANGES)
async def test_while_it_holds_nothing_about_a_key_changes_unless_somebody_says_why(desk: Desk, change: str) -> None:
    await freeze(desk)
    work, kwargs = CHANGES[change]
    before = await keys.list_keys(desk)
    with pytest.raises(EnvironmentFrozen, match="launch") as caught:
        await perform(desk, SYSTEM, work, **kwargs)
    assert "--override --reason" in caught.value.fix
    for reason in ("", "  "):
        with pytest.raises(InvalidValue, match="reason"):
            await perform(desk, SYSTEM, work, override=True, reason=reason, **kwargs)
    assert await keys.list_keys(desk) == before
    await perform(desk, SYSTEM, work, override=True, reason="it leaks", **kwargs)
    async with desk.store.read() as look:
        row = (await look.find(AuditRow))[-1]
    assert row.reason.startswith("overrides the freeze of prod until ")
    assert row.reason.endswith(": it leaks")


@pytest.mark.requirement(73)
async def test_revoking_is_never_refused(desk: Desk) -> None:
    await freeze(desk)
    assert (await perform(desk, SYSTEM, keys.revoke, name=NAME)).state is KeyState.REVOKED
    with pytest.raises(EnvironmentFrozen):
        await perform(desk, SYSTEM, keys.retire, name=NAME)
    await perform(desk, SYSTEM, keys.retire, name=NAME, override=True, reason="tidy")


async def test_a_disabled_key_comes_back_when_it_is_over(desk: Desk, clock: StoppedClock) -> None:
    await perform(desk, SYSTEM, keys.disable, name=NAME)
    await freeze(desk)
    with pytest.raises(EnvironmentFrozen):
        await perform(desk, SYSTEM, keys.enable, name=NAME)
    clock.advance(4 * 3600)
    await perform(desk, SYSTEM, keys.enable, name=NAME)


async def test_an_override_where_nothing_holds_is_a_change_like_others(desk: Desk) -> None:
    await freeze(desk, 1)
    await perform(desk, SYSTEM, keys.rotate, name=NAME, override=True)
    await perform(desk, SYSTEM, keys.create, wanted=NewKey(name="dev-chat-01", owner="asha"))
    async with desk.store.read() as look:
        assert not (await look.find(AuditRow))[-1].reason


async def test_thawing_ends_what_holds_and_leaves_what_is_to_come(desk: Desk) -> None:
    await freeze(desk)
    await freeze(desk, 8, 9)
    left = await perform(desk, SYSTEM, freezes.thaw, name="prod")
    assert len(left.freezes) == 1
    await perform(desk, SYSTEM, keys.rotate, name=NAME)
    with pytest.raises(StateForbids) as caught:
        await perform(desk, SYSTEM, freezes.thaw, name="prod")
    assert caught.value.fix == "clavero env thaw prod --all"
    assert (await perform(desk, SYSTEM, freezes.thaw, name="prod", every=True)).freezes == ()
    with pytest.raises(StateForbids):
        await perform(desk, SYSTEM, freezes.thaw, name="prod", every=True)


@pytest.mark.parametrize(("begin", "end", "reason"), [(0, 0, "x"), (2, 1, "x"), (0, 367 * 24, "x"), (0, 1, " ")])
async def test_a_window_has_an_end_and_a_reason(desk: Desk, begin: int, end: int, reason: str) -> None:
    with pytest.raises(InvalidValue):
        await freeze(desk, begin, end, reason)


async def test_windows_are_few_and_those_that_are_over_are_forgotten(desk: Desk, clock: StoppedClock) -> None:
    for hour in range(50):
        await freeze(desk, hour, hour + 1)
    with pytest.raises(InvalidValue, match="at most 50"):
        await freeze(desk)
    clock.advance(3600)
    assert len((await freeze(desk)).freezes) == 50
    with pytest.raises(NotFound):
        await perform(desk, SYSTEM, freezes.freeze, name="prdo", from_ns=0, until_ns=2**62, reason="x")


async def test_what_is_overdue_is_suspended_only_once_it_is_over(desk: Desk, clock: StoppedClock) -> None:
    desk = replace(desk, custody=Custody(transfer_days=0, orphan_keys=OrphanPolicy.SUSPEND))
    await freeze(desk)
    await perform(desk, SYSTEM, members.leave, name="asha")
    assert (await custody.sweep(desk)).suspended == ()
    clock.advance(4 * 3600)
    assert (await custody.sweep(desk)).suspended == (NAME,)
