"""What sums by time tell: the last hour, the running total, when a budget will be spent. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

_SECOND = 1_000_000_000


class Sums(Struct, frozen=True):
    """What happened in one step of time that began at `at_ns`; a refusal by rule is no failure. Costs in nano-USD."""

    at_ns: int
    calls: int = 0
    failed: int = 0
    refused: int = 0
    cost_n: int = 0

    @property
    def answered(self) -> int:
        """Calls that went well."""
        return self.calls - self.failed - self.refused


class Speed(Struct, frozen=True):
    """The 95th percentiles in microseconds: the whole exchange, and our part of it; 0 without calls."""

    total_us: int = 0
    ours_us: int = 0


def steps(found: Mapping[int, Sums], since_ns: int, until_ns: int, step_ns: int) -> list[Sums]:
    """One sum for each step of a time, empty ones too; `found` is by the number of the step."""
    count = max(1, -(-(until_ns - since_ns) // step_ns))
    return [found.get(number, Sums(since_ns + number * step_ns)) for number in range(count)]


def together(parts: Sequence[Sums], every: int) -> list[Sums]:
    """So many steps as one, from the first on."""
    return [_whole(parts[place : place + every]) for place in range(0, len(parts), every)]


def rank_of(count: int, share: int) -> int:
    """How many of so many values lie before the percentile: the smallest that `share` per cent do not exceed."""
    return max(0, -(-count * share // 100) - 1)


def runs_out(left_n: int, burn_n: int, now_ns: int, ends_ns: int) -> int:
    """When what is left will be spent at a pace in nano-USD an hour; 0 where that is not before the window ends."""
    if burn_n <= 0 or left_n <= 0:
        return 0
    at_ns = now_ns + left_n * 3600 * _SECOND // burn_n
    return at_ns if not ends_ns or at_ns < ends_ns else 0


def running(parts: Sequence[Sums]) -> list[int]:
    """The costs added up, step by step."""
    total, found = 0, []
    for one in parts:
        total += one.cost_n
        found.append(total)
    return found


def _whole(parts: Sequence[Sums]) -> Sums:
    return Sums(
        parts[0].at_ns,
        sum(one.calls for one in parts),
        sum(one.failed for one in parts),
        sum(one.refused for one in parts),
        sum(one.cost_n for one in parts),
    )
