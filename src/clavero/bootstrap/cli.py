"""What the command line takes from this machine: its clock."""

from clavero.adapters.clock import SystemClock
from clavero.ports.clock import Clock


def clock() -> Clock:
    """The machine's clocks."""
    return SystemClock()
