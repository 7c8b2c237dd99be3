"""What the demo's simulated provider is composed of."""

import socket

from clavero.adapters.clock import SystemClock
from clavero.simulator import Simulator, SimulatorSettings, serve


async def serve_demo(listening: socket.socket) -> Simulator:
    """A gentle provider: the first token after 150 ms, 20 ms for each that follows."""
    return await serve(settings=SimulatorSettings(), clock=SystemClock(), sock=listening)
