"""Windows in which nothing about the keys of an environment changes: a launch, a holiday, an audit."""

from collections.abc import Sequence

from msgspec import Struct

MOST = 50  # windows of one environment that are not over


class Freeze(Struct, frozen=True, kw_only=True):
    """One window, from the first instant to before the last; UTC nanoseconds."""

    from_ns: int
    until_ns: int
    reason: str


def holding(freezes: Sequence[Freeze], now_ns: int) -> Freeze | None:
    """The window that holds now; of several the one that ends last."""
    found = [one for one in freezes if one.from_ns <= now_ns < one.until_ns]
    return max(found, key=lambda one: one.until_ns, default=None)


def not_over(freezes: Sequence[Freeze], now_ns: int) -> tuple[Freeze, ...]:
    """The windows that hold or are still to come, in their order."""
    return tuple(sorted((one for one in freezes if now_ns < one.until_ns), key=lambda one: (one.from_ns, one.until_ns)))
