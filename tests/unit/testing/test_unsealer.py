import os

import pytest

from clavero.ports.unsealer import Unsealer
from clavero.testing.unsealer import MemoryUnsealer


async def test_root_keys_are_made_and_destroyed_as_the_supervisor_does() -> None:
    memory = MemoryUnsealer(os.urandom)
    seal: Unsealer = memory
    (old,) = seal.roots
    await seal.add_root()
    await seal.add_root()
    assert [root == old for root in memory.held.values] == [True, False]
    await seal.keep_root(memory.held.ids[1], 4)
    await seal.keep_root("rk_none", 4)
    assert [root == old for root in memory.held.values] == [False]
    memory.failing = "the disk is full"
    with pytest.raises(ConnectionError, match="disk is full"):
        await seal.add_root()
    assert memory.wishes[0] == "add"
