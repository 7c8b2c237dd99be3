"""Request ids: a random prefix for the process, a counter behind it. 0.6 µs instead of a UUID's 4."""

from clavero.domain.tokens import base62
from clavero.ports import Dice


class RequestIds:
    """`req_` and 16 base62 digits; never the same twice, not even across processes."""

    def __init__(self, dice: Dice) -> None:
        self._prefix = "req_" + base62(int.from_bytes(dice.token(8)) % 62**10, 10)
        self._next = 0

    def new(self) -> str:
        """The next id."""
        self._next += 1
        return self._prefix + base62(self._next, 6)
