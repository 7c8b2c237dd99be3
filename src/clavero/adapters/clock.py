"""Time and chance as this machine has them: the only place that asks for them."""

import os
import random
import time


class SystemClock:
    """The machine's clocks, in nanoseconds."""

    def wall_ns(self) -> int:
        """UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """For durations; never goes back."""
        return time.monotonic_ns()


class SystemDice:
    """The machine's chance: the kernel's for tokens, a plain generator for jitter."""

    def uniform(self, low: float, high: float) -> float:
        """A float from `low` to `high`; never for secrets."""
        return random.uniform(low, high)  # noqa: S311 - jitter, no secret

    def token(self, size: int) -> bytes:
        """Unpredictable bytes."""
        return os.urandom(size)
