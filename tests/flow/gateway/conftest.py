import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop
from tests.flow.gateway.house import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose one simulated provider speaks everything; nothing in it may fail unnoticed."""
    async with open_house(tmp_path / "data") as house:
        await house.simulated()
        yield house
    assert not [line for line in house.logged if line.startswith("failure")]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The gateway runs on uvloop."""
    return {"uvloop": uvloop.new_event_loop}
