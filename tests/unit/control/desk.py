"""A desk for tests: the real store on a SQLite file of the test's own, the real vault, the machine's time."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.store import sqlite_store
from clavero.control.commit import Desk
from clavero.ports import Clock
from clavero.vault.barrier import Barrier
from clavero.vault.fingerprint import Fingerprints
from clavero.vault.keyring import Keyring, RootKey


@contextlib.asynccontextmanager
async def open_desk(folder: Path, clock: Clock | None = None) -> AsyncIterator[Desk]:
    """A desk over an empty database; closed at the end."""
    clock = clock or SystemClock()
    store = sqlite_store(folder / "clavero.db")
    await store.open()
    root = RootKey(os.urandom(32))
    keyring = Keyring.open(root, Keyring.create(root, os.urandom, clock.wall_ns()))
    barrier = Barrier(keyring, os.urandom)
    yield Desk(store, clock, SystemDice(), barrier, Fingerprints(keyring.peppers()))
    await store.close()
