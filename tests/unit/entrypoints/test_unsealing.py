import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.entrypoints.processes import AddRoot, KeepRoot, Order, Roots, Settled
from clavero.entrypoints.unsealing import Unsealing
from clavero.vault.keyring import RootKeys
from clavero.vault.seal import OpenSeal, PlainSeal, create, unlock
from clavero.vault.seal_file import SealFile


class Child:
    """A process that takes root keys at once, or not before it is told to."""

    def __init__(self, seal: OpenSeal, *, slow: bool = False) -> None:
        self.pid: int | None = 7
        self.seq = 0
        self.holds: tuple[str, ...] = seal.keys.ids
        self.orders: list[Order] = []
        self.slow = slow
        self.asked: Callable[[AddRoot | KeepRoot], None] = lambda _wish: None

    def order(self, order: Order) -> None:
        self.orders.append(order)
        if isinstance(order, Roots) and not self.slow:
            self.take(order)

    def take(self, order: Order) -> None:
        assert isinstance(order, Roots)
        self.holds = RootKeys.of(order.keys).ids

    @property
    def settled(self) -> list[Settled]:
        return [order for order in self.orders if isinstance(order, Settled)]


@pytest.fixture
def seal(tmp_path: Path) -> OpenSeal:
    return create(SealFile(tmp_path / "root.key"), PlainSeal(), os.urandom)


def on_disk(seal: OpenSeal) -> RootKeys:
    return unlock(seal.file, PlainSeal(), seal.file.read(), os.urandom).keys


async def a_moment() -> None:
    await asyncio.sleep(0.06)


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - the thing under test polls too
            await asyncio.sleep(0.005)


async def test_a_new_root_key_is_on_disk_and_in_every_child_before_the_control_plane_hears_of_it(
    seal: OpenSeal,
) -> None:
    control, worker = Child(seal), Child(seal, slow=True)
    unsealing = Unsealing(seal, control, [worker])
    control.asked(AddRoot())
    await until(lambda: worker.orders)
    await a_moment()
    assert control.settled == []
    assert on_disk(seal).ids == seal.keys.ids
    worker.take(worker.orders[0])
    await until(lambda: control.settled)
    assert control.settled == [Settled(seal.keys.ids)]
    assert control.holds == worker.holds == seal.keys.ids
    unsealing.close()


async def test_a_child_that_is_not_running_is_not_waited_for(seal: OpenSeal) -> None:
    control, dead = Child(seal), Child(seal, slow=True)
    dead.pid = None
    Unsealing(seal, control, [dead]).asked(AddRoot())
    await until(lambda: control.settled)


async def test_an_old_root_key_is_destroyed_when_every_worker_has_seen_that_nothing_needs_it(seal: OpenSeal) -> None:
    control, worker = Child(seal), Child(seal)
    unsealing = Unsealing(seal, control, [worker])
    both = seal.add()
    worker.seq = 8
    unsealing.asked(KeepRoot(both.ids[1], 9))
    await a_moment()
    assert on_disk(seal) == both
    worker.seq = 9
    await until(lambda: control.settled)
    assert on_disk(seal).ids == (both.ids[1],) == worker.holds == control.holds


async def test_a_wish_that_the_disk_refuses_is_told_and_can_be_repeated(
    seal: OpenSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = Child(seal)
    unsealing = Unsealing(seal, control, [])

    def fail(*_: object) -> None:
        raise StartFailure("seal_unusable", "cannot use root.key: No space left on device", "")

    with monkeypatch.context() as patched:
        patched.setattr(SealFile, "replace", fail)
        unsealing.asked(AddRoot())
        await until(lambda: control.settled)
    assert "No space left" in control.settled[0].failure
    unsealing.asked(AddRoot())
    unsealing.asked(AddRoot())  # the newest wish replaces the one before
    await until(lambda: len(control.settled) > 1)
    assert len(on_disk(seal).ids) == 2
