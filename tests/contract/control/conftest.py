from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.control.ledger_house import House, parts

from clavero.adapters.clock import SystemDice
from clavero.control.unseal import open_desk
from clavero.testing.clock import StoppedClock
from clavero.vault.keyring import RootKey


@pytest.fixture(params=["sqlite", "postgres"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    clock = StoppedClock()
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    store, lender, books = parts(tmp_path, url, clock)
    await store.open()
    made = House(await open_desk(store, clock, SystemDice(), RootKey(b"\1" * 32)), clock, lender, books)
    await made.limits()
    yield made
    lender.close()
    books.close()
    await store.close()
