from collections.abc import AsyncIterator

import pytest

from clavero.adapters.clock import SystemClock
from clavero.simulator import Simulator, SimulatorSettings, serve

AT_ONCE = SimulatorSettings(first_token=0, token=0, faults=True)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    served = await serve(settings=AT_ONCE, clock=SystemClock())
    yield served
    await served.close()
