"""How far a long verb of `clavero db` is."""

from clavero.bootstrap.cli import clock
from clavero.entrypoints.cli.options import Common

_EVERY_NS = 2_000_000_000


class Progress:
    """Tells people, every two seconds, which table it is and how many rows; a short verb says nothing."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._clock = clock()
        self._next_ns = self._clock.monotonic_ns() + _EVERY_NS

    def __call__(self, what: str, done: int) -> None:
        """One step more."""
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + _EVERY_NS
        self._common.note("copied" if what == "copy" else "rows_so_far", table=what, n=f"{done:,}")
