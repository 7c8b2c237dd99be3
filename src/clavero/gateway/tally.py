"""Counters of what never reaches the journal: callers whose key is not known, by reason.

They are logged at most once a second for each address, so that a flood of garbage costs neither disk nor attention.
"""

from collections.abc import Callable

_MOST_ADDRESSES = 10_000


class Tally:
    """Refusals before authentication: counted by code, told to `log` (code, address) once a second at most."""

    def __init__(self, log: Callable[[str, str], None]) -> None:
        self.refused: dict[str, int] = {}
        self._log = log
        self._heard: dict[str, int] = {}

    def stranger(self, code: str, address: str, second: int) -> None:
        """Count one refusal; `second` is any clock's whole second."""
        self.refused[code] = self.refused.get(code, 0) + 1
        if self._heard.get(address) == second:
            return
        if len(self._heard) >= _MOST_ADDRESSES:
            self._heard.clear()
        self._heard[address] = second
        self._log(code, address)
