"""What exchanges add up to: sums by time, shares, percentiles, and when a budget will be spent. Pure."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

_SECOND = 1_000_000_000


class Sample(Struct, frozen=True, gc=False):
    """What one usage row counts for; `final` is false for an earlier leg of a request, which has cost but no answer."""

    at_ns: int
    cost_n: int
    total_us: int = 0
    overhead_us: int = 0
    status: int = 200
    code: str = ""
    final: bool = True

    @property
    def failed(self) -> bool:
        """Ours or a provider's failure; a refusal by rule is none."""
        return bool(self.code) and self.status >= 500

    @property
    def refused(self) -> bool:
        """Refused by rule: a budget, a scope, a key's state."""
        return bool(self.code) and self.status < 500


class Sums(Struct, frozen=True):
    """What happened from `at_ns` on; costs in nano-USD."""

    at_ns: int
    calls: int = 0
    failed: int = 0
    refused: int = 0
    cost_n: int = 0


class Speed(Struct, frozen=True):
    """The 95th percentiles in microseconds: the whole exchange, and our part of it; 0 without calls."""

    total_us: int
    ours_us: int


def sums(samples: Iterable[Sample], since_ns: int, until_ns: int) -> Sums:
    """Everything within a time."""
    return _add(since_ns, [one for one in samples if since_ns <= one.at_ns < until_ns])


def by_time(samples: Iterable[Sample], since_ns: int, until_ns: int, step_ns: int) -> list[Sums]:
    """One sum for each step, empty ones too."""
    count = -(-(until_ns - since_ns) // step_ns)
    boxes: list[list[Sample]] = [[] for _ in range(count)]
    for one in samples:
        if since_ns <= one.at_ns < until_ns:
            boxes[(one.at_ns - since_ns) // step_ns].append(one)
    return [_add(since_ns + number * step_ns, box) for number, box in enumerate(boxes)]


def speed(samples: Iterable[Sample]) -> Speed:
    """How long the answered ones took."""
    answered = [one for one in samples if one.final and not one.code]
    return Speed(
        percentile([one.total_us for one in answered], 95), percentile([one.overhead_us for one in answered], 95)
    )


def percentile(values: Sequence[int], share: int) -> int:
    """The smallest value that so many per cent of all do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0


def runs_out(left_n: int, burn_n: int, now_ns: int, ends_ns: int) -> int:
    """When what is left will be spent at a pace in nano-USD an hour; 0 where that is not before the window ends."""
    if burn_n <= 0 or left_n <= 0:
        return 0
    at_ns = now_ns + left_n * 3600 * _SECOND // burn_n
    return at_ns if not ends_ns or at_ns < ends_ns else 0


def running(steps: Sequence[Sums]) -> list[int]:
    """The costs added up, step by step."""
    total, found = 0, []
    for step in steps:
        total += step.cost_n
        found.append(total)
    return found


def _add(at_ns: int, samples: Sequence[Sample]) -> Sums:
    final = [one for one in samples if one.final]
    return Sums(
        at_ns,
        len(final),
        sum(one.failed for one in final),
        sum(one.refused for one in final),
        sum(one.cost_n for one in samples),
    )
