import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.flow.entrypoints.http.console.visitor import Visitor, open_visitor


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody who is signed in at a furnished console."""
    async with open_visitor(tmp_path) as opened:
        yield opened


@pytest.fixture
async def newcomer(tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody who is signed in at an empty one."""
    async with open_visitor(tmp_path, furnished=False) as opened:
        yield opened


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """One loop: pages do not touch transports."""
    return {"asyncio": asyncio.new_event_loop}
