"""Time and chance, handed in: nothing below asks the system for either."""

from typing import Protocol


class Clock(Protocol):
    """Time, handed in. `wall_ns` is UTC; `monotonic_ns` never goes back and is for durations only."""

    def wall_ns(self) -> int: ...
    def monotonic_ns(self) -> int: ...


class Dice(Protocol):
    """Chance, handed in."""

    def uniform(self, low: float, high: float) -> float: ...
    def token(self, size: int) -> bytes: ...


class Mortal(Protocol):
    """Something that ends, or acts, when its time has come."""

    deadline: float  # monotonic seconds; infinite for none. Moving it is an attribute write

    def expire(self, now: float) -> None:
        """The deadline has passed; may add and discard, its own self included."""
        ...


class Ticker(Protocol):
    """One sweep every 100 ms over everything that has a deadline, instead of a timer for each."""

    now: float  # monotonic seconds as of the last sweep: at most one sweep old, and cheap to read

    def add(self, thing: Mortal) -> None: ...
    def discard(self, thing: Mortal) -> None: ...
