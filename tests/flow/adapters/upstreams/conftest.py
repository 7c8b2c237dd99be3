import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop
from tests.flow.adapters.upstreams.rig import Rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A pool that is closed when the test is over."""
    rig = Rig()
    yield rig
    await rig.pool.close()
    assert not rig.pool.connections
    assert not rig.pool._dialled


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops: the gateway runs on uvloop, and their transports differ in what they call when."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
