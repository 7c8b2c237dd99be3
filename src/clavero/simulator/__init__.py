"""Simulated providers, plainly labelled: for the demo, benchmarks and drills.

OpenAI- and Anthropic-shaped over plain HTTP. Every answer says that it is invented, every id contains `sim`, every
head says `x-simulated: true`. Counts, caps, errors and streams follow the real providers' public documentation.
"""

from clavero.simulator.faults import Fault
from clavero.simulator.house import SimulatorSettings
from clavero.simulator.server import Simulator, serve

__all__ = ["Fault", "Simulator", "SimulatorSettings", "serve"]
