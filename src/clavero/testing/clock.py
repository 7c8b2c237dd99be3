"""Time and chance that a test holds in its hand: twins of the `Clock` and `Dice` ports."""

from collections.abc import Iterable, Iterator


class StoppedClock:
    """Stands still until it is moved; both of its clocks go together."""

    def __init__(self, wall_ns: int = 1_800_000_000 * 10**9, monotonic_ns: int = 10**12) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns

    def wall_ns(self) -> int:
        """UTC."""
        return self._wall_ns

    def monotonic_ns(self) -> int:
        """For durations."""
        return self._monotonic_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._wall_ns += round(seconds * 1e9)
        self._monotonic_ns += round(seconds * 1e9)

    def set_wall(self, wall_ns: int) -> None:
        """Step the wall clock alone, as an operator or NTP may."""
        self._wall_ns = wall_ns


class LoadedDice:
    """Falls as told: shares of the way from low to high, used in turn and again from the start; tokens count up."""

    def __init__(self, shares: Iterable[float] = (0.5,)) -> None:
        self._shares = tuple(shares)
        if not self._shares or not all(0 <= share <= 1 for share in self._shares):
            raise ValueError("a share lies from 0 to 1")
        self._falls = self._turn()
        self._tokens = 0

    def uniform(self, low: float, high: float) -> float:
        """The next share of the way from `low` to `high`."""
        return low + next(self._falls) * (high - low)

    def token(self, size: int) -> bytes:
        """Bytes that never repeat: the number of the call, big-endian."""
        self._tokens += 1
        return self._tokens.to_bytes(size, "big")

    def _turn(self) -> Iterator[float]:
        while True:
            yield from self._shares
