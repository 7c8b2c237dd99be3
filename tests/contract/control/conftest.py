import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.control.ledger_house import House, parts

from clavero.adapters.clock import SystemDice
from clavero.control.unseal import Tools, open_desk
from clavero.testing.clock import StoppedClock
from clavero.testing.unsealer import MemoryUnsealer


@pytest.fixture(params=["sqlite", "postgres"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    clock = StoppedClock()
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    store, lender, books = parts(tmp_path, url, clock)
    await store.open()
    made = House(await open_desk(Tools(store, clock, SystemDice()), MemoryUnsealer(os.urandom)), clock, lender, books)
    await made.limits()
    yield made
    lender.close()
    books.close()
    await store.close()
