"""What every format of the simulator is handed: its settings, its clock and the numbers it gives out."""

import hashlib
import itertools

from msgspec import Struct

from clavero.ports.clock import Clock
from clavero.simulator.replies import Pace

_PREFIXES = 4_096  # the least recently used is forgotten first


class SimulatorSettings(Struct, frozen=True, kw_only=True):
    """How the simulated provider behaves. Delays in seconds; the defaults are the gentle ones of the demo.

    `api_key`: where it is set, another key is refused as the provider would. `answer_tokens`: length of a text answer,
    0 is its natural one. `faults`: models may be asked for with a fault (`gpt-4o-mini+cut=40`), and the drill
    endpoints answer.
    """

    first_token: float = 0.15
    token: float = 0.02
    api_key: str = ""
    answer_tokens: int = 0
    faults: bool = False
    body_bytes: int = 64 * 1024 * 1024

    def __repr__(self) -> str:
        return f"SimulatorSettings(first_token={self.first_token}, token={self.token}, faults={self.faults})"


class House:
    """Settings, time and numbering of one simulator."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self.settings = settings
        self.pace = Pace(settings.first_token, settings.token)
        self._clock = clock
        self._numbers = itertools.count(1)
        self._prefixes: dict[bytes, bool] = {}

    def identity(self, kind: str) -> str:
        """A fresh id, `chatcmpl-sim-…`: recognisably nobody else's."""
        return f"{kind}sim-{next(self._numbers):012d}"

    def seen(self, prefix: bytes) -> bool:
        """Whether a prompt began like this before, as a provider's cache of prompts would know; it does from now on."""
        key = hashlib.sha256(prefix).digest()
        known = self._prefixes.pop(key, False)
        self._prefixes[key] = True
        if len(self._prefixes) > _PREFIXES:
            del self._prefixes[next(iter(self._prefixes))]
        return known

    def now(self) -> int:
        """Seconds since the epoch."""
        return self._clock.wall_ns() // 1_000_000_000


class Asked(Struct, frozen=True):
    """One request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
