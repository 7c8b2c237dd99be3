import asyncio
import os

import msgspec
import pytest

from clavero.entrypoints.orders import Supervised, follow
from clavero.entrypoints.processes import (
    AddRoot,
    Holds,
    Instructions,
    KeepRoot,
    Order,
    Report,
    Reporter,
    Roots,
    Settled,
    read_report,
)
from clavero.settings import Settings
from clavero.vault.keyring import RootKeys

ONE, TWO = b"\1" * 32, b"\2" * 32
BOTH = RootKeys.of([ONE, TWO])


class Pipes:
    """Both pipes between a child and its supervisor, held at the supervisor's end."""

    def __init__(self) -> None:
        self.orders_fd, self._orders = os.pipe()
        self._reports, self.report_fd = os.pipe()
        self.instructions = Instructions(
            settings=Settings(), root_keys=(ONE,), name="control", report_fd=self.report_fd, orders_fd=self.orders_fd,
            gateway_port=1, admin_port=2, seal="passphrase",
        )  # fmt: skip

    def order(self, order: Order) -> None:
        os.write(self._orders, msgspec.json.encode(order) + b"\n")

    async def heard(self) -> Report:
        return read_report(await asyncio.to_thread(os.read, self._reports, 4096))

    def close(self) -> None:
        os.close(self._orders)
        os.close(self._reports)
        os.close(self.report_fd)


async def test_orders_are_followed_until_the_supervisor_has_gone() -> None:
    pipes, taken = Pipes(), list[Order]()
    pipes.order(Roots((ONE, TWO)))
    pipes.order(Settled(("rk_1",)))
    pipes.close()
    async with asyncio.timeout(5):
        await follow(pipes.orders_fd, taken.append, taken.append)
    assert taken == [Roots((ONE, TWO)), Settled(("rk_1",))]


async def test_a_wish_goes_up_and_is_done_when_the_supervisor_says_so() -> None:
    pipes = Pipes()
    supervised = Supervised(pipes.instructions, Reporter(pipes.report_fd))
    assert (supervised.kind, supervised.roots) == ("passphrase", (ONE,))
    listening = asyncio.ensure_future(supervised.listen())
    adding = asyncio.ensure_future(supervised.add_root())
    assert await pipes.heard() == AddRoot()
    pipes.order(Roots((ONE, TWO)))
    assert await pipes.heard() == Holds(BOTH.ids)
    assert not adding.done()
    pipes.order(Settled(BOTH.ids))
    async with asyncio.timeout(5):
        await adding
    assert supervised.roots == (ONE, TWO)
    keeping = asyncio.ensure_future(supervised.keep_root(BOTH.ids[1], 9))
    assert await pipes.heard() == KeepRoot(BOTH.ids[1], 9)
    pipes.order(Settled(BOTH.ids, "the disk is full"))
    with pytest.raises(ConnectionError, match="disk is full"):
        await keeping
    listening.cancel()
    await listening
    pipes.close()


def test_no_root_key_is_shown_with_an_order() -> None:
    assert repr(ONE)[2:-1] not in repr(Roots((ONE,)))
