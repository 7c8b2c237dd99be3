"""A desk for tests: the real store on a SQLite file of the test's own, the real vault, the machine's time."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.store import sqlite_store
from clavero.control import unseal
from clavero.control.commit import Desk
from clavero.ports.clock import Clock
from clavero.testing.unsealer import MemoryUnsealer
from clavero.vault.keyring import Keyring


@contextlib.asynccontextmanager
async def open_desk(folder: Path, clock: Clock | None = None) -> AsyncIterator[Desk]:
    """A desk over an empty database; closed at the end."""
    clock = clock or SystemClock()
    store = sqlite_store(folder / "clavero.db")
    await store.open()
    unsealer = MemoryUnsealer(os.urandom)
    async with store.write() as writing:  # as a first start makes them, but no row of the audit trail
        for row in Keyring.create(unsealer.held.keys[0], os.urandom, clock.wall_ns()):
            await writing.put(row)
    yield await unseal.open_desk(unseal.Tools(store, clock, SystemDice()), unsealer, "home")
    await store.close()
