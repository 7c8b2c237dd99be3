"""The last minute by seconds: what each worker, provider, key and service does, how it ends, how long it takes.

`Recent.heard` is what ingest tells of frames once they are durable, on its own thread. A figure counts in the second
in which its exchange ended, whenever it was posted: after a restart the backlog makes no peak. Lengths of time are
kept in steps of 6 %, so that percentiles of many seconds are those of their sums.
"""

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

from msgspec import Struct

from clavero.control.pressure import Kept
from clavero.domain.ledger import BootId
from clavero.domain.usage import Exchange
from clavero.ports.clock import Clock
from clavero.wire.journal import Frame, Record, Settle, Unreadable

KEPT_S = 60
MOST_NAMES = 2000  # of one kind in one second; what comes after them is counted under ""
_NS = 1_000_000_000
_STEPS = 16  # for each doubling


class Lengths:
    """Lengths of time by their step."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: dict[int, int] = {}

    def add(self, microseconds: int) -> None:
        """Count one."""
        step = step_of(microseconds)
        self.steps[step] = self.steps.get(step, 0) + 1

    def take(self, other: "Lengths") -> None:
        """Count what another has counted."""
        for step, count in other.steps.items():
            self.steps[step] = self.steps.get(step, 0) + count

    def at(self, percent: int) -> int | None:
        """The microseconds that so many percent stay within; None of nothing."""
        left = -(-sum(self.steps.values()) * percent // 100)
        for step in sorted(self.steps):
            left -= self.steps[step]
            if left <= 0:
                return end_of(step)
        return None


class Doing:
    """What one of them did in one second, or in many."""

    __slots__ = ("calls", "cost_n", "errors", "first", "last", "ours", "refused")

    def __init__(self) -> None:
        self.calls = self.errors = self.refused = self.cost_n = 0
        self.ours = Lengths()  # for a provider: its whole calls
        self.first = Lengths()
        self.last: Exchange | None = None

    def take(self, other: "Doing") -> None:
        """Count what another has counted."""
        self.calls += other.calls
        self.errors += other.errors
        self.refused += other.refused
        self.cost_n += other.cost_n
        self.ours.take(other.ours)
        self.first.take(other.first)
        self.last = other.last or self.last

    def count(self, it: Exchange) -> None:
        """Count one exchange."""
        self.calls += 1
        self.cost_n += it.cost_n
        if it.code:
            if it.status >= 500:
                self.errors += 1
            else:
                self.refused += 1


Doings = dict[str, Doing]


class Second(Struct):
    """One second, by the kinds of those who did something."""

    workers: Doings
    providers: Doings
    keys: Doings
    services: Doings


class Recent:
    """The last minute. `loop_lag_us` is how late the loop of this process was when it was last measured."""

    def __init__(self, clock: Clock) -> None:
        self.begun_ns = clock.monotonic_ns()
        self.loop_lag_us = 0
        self.answers: dict[str, Kept[Any]] = {}  # to what is asked beside, by whoever shows these figures
        self._clock = clock
        self._seconds: dict[int, Second] = {}
        self._lock = Lock()

    def heard(self, boot: BootId, frames: Sequence[Frame | Unreadable]) -> None:
        """Take in frames that were posted; give this to `Ingest`."""
        now = self._clock.wall_ns() // _NS
        with self._lock:
            for frame in frames:
                if isinstance(frame, Settle | Record):
                    self._count(boot, frame.exchange, now)

    def over(self, seconds: int) -> tuple[Second, int]:
        """The last so many whole seconds in one, and how many of them this process was there for, at least 1."""
        now = self._clock.wall_ns() // _NS
        there = (self._clock.monotonic_ns() - self.begun_ns) // _NS
        whole = Second({}, {}, {}, {})
        with self._lock:
            for at in range(now - seconds, now):
                if one := self._seconds.get(at):
                    for kind in Second.__struct_fields__:
                        _take(getattr(whole, kind), getattr(one, kind).items())
        return whole, max(1, min(seconds, there))

    def _count(self, boot: BootId, it: Exchange, now: int) -> None:
        at = (it.at_ns + it.total_us * 1000) // _NS
        if not now - KEPT_S <= at <= now + 1:
            return
        second = self._seconds.get(at)
        if second is None:
            second = self._seconds[at] = Second({}, {}, {}, {})
            for old in [one for one in self._seconds if one < now - KEPT_S]:
                del self._seconds[old]
        if it.final:
            worker = _of(second.workers, boot)
            worker.count(it)
            worker.ours.add(it.overhead_us)
            if it.first_token_us:
                worker.first.add(it.first_token_us)
            for doing in (_of(second.keys, it.key_id), _of(second.services, it.service)):
                doing.count(it)
                doing.last = it
        for attempt in it.attempts:
            provider = _of(second.providers, attempt.provider)
            provider.calls += 1
            provider.errors += bool(attempt.code)
            provider.ours.add(max(0, attempt.ended_us - attempt.started_us))
            if attempt.first_byte_us:
                provider.first.add(max(0, attempt.first_byte_us - attempt.started_us))


def step_of(microseconds: int) -> int:
    """The step of a length of time: each microsecond up to 31, then 16 steps for each doubling."""
    if microseconds < _STEPS:
        return max(0, microseconds)
    shift = microseconds.bit_length() - 5
    return shift * _STEPS + (microseconds >> shift)


def end_of(step: int) -> int:
    """The longest length of time of a step."""
    if step < 2 * _STEPS:
        return step
    shift = step // _STEPS - 1
    return ((step - shift * _STEPS + 1) << shift) - 1


def _of(doings: Doings, name: str) -> Doing:
    doing = doings.get(name)
    if doing is None:
        if len(doings) >= MOST_NAMES:
            return doings.setdefault("", Doing())
        doing = doings[name] = Doing()
    return doing


def _take(whole: Doings, parts: Iterable[tuple[str, Doing]]) -> None:
    for name, doing in parts:
        whole.setdefault(name, Doing()).take(doing)
