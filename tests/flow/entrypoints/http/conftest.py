import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop
from tests.flow.entrypoints.http.door import Door, Handler, echo

from clavero.domain.forwarded import Proxies
from clavero.entrypoints.http.edge import Limits

Opening = Callable[..., Awaitable[Door]]


@pytest.fixture
async def opening() -> AsyncIterator[Opening]:
    """Open doors; they are shut when the test is over."""
    doors: list[Door] = []

    async def opened(handler: Handler = echo, limits: Limits | None = None, proxies: Proxies | None = None) -> Door:
        door = Door(handler, limits, proxies)
        doors.append(door)
        await door.open()
        return door

    yield opened
    for door in doors:
        await door.server.stop(0.0)


@pytest.fixture
async def door(opening: Opening) -> Door:
    """A door that says what was understood."""
    return await opening()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops: the gateway runs on uvloop, and their transports differ in what they call when."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
