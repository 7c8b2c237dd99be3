import asyncio
from math import inf

from clavero.adapters.clock import SystemClock
from clavero.adapters.ticker import LoopTicker
from clavero.testing.clock import StoppedClock


class Thing:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired: list[float] = []

    def expire(self, now: float) -> None:
        self.expired.append(now)
        self.deadline = inf


class Broken(Thing):
    def expire(self, now: float) -> None:
        raise RuntimeError("broken")


def test_only_what_is_due_expires_and_a_moved_deadline_counts() -> None:
    clock = StoppedClock(monotonic_ns=0)
    ticker = LoopTicker(clock)
    due, moved, later = Thing(1.0), Thing(1.0), Thing(5.0)
    for thing in (due, moved, later):
        ticker.add(thing)
    moved.deadline = 2.0
    clock.advance(1.0)
    ticker.sweep()
    assert (due.expired, moved.expired, later.expired) == ([1.0], [], [])
    assert ticker.now == 1.0


def test_what_was_discarded_does_not_expire() -> None:
    clock = StoppedClock(monotonic_ns=0)
    ticker = LoopTicker(clock)
    thing = Thing(1.0)
    ticker.add(thing)
    ticker.discard(thing)
    clock.advance(9)
    ticker.sweep()
    assert not thing.expired


def test_what_another_took_away_in_the_same_sweep_does_not_expire() -> None:
    clock = StoppedClock(monotonic_ns=0)
    ticker = LoopTicker(clock)
    ended: list[Thing] = []

    class Taking(Thing):
        def expire(self, now: float) -> None:
            super().expire(now)
            ended.append(self)
            for other in things:
                ticker.discard(other)

    things = [Taking(1.0), Taking(1.0)]
    for thing in things:
        ticker.add(thing)
    clock.advance(2)
    ticker.sweep()
    assert len(ended) == 1


async def test_one_failure_does_not_cost_the_others_their_deadline() -> None:
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))
    clock = StoppedClock(monotonic_ns=0)
    ticker = LoopTicker(clock)
    things = [Broken(1.0), Thing(1.0), Broken(1.0)]
    for thing in things:
        ticker.add(thing)
    clock.advance(2)
    ticker.sweep()
    ticker.sweep()
    assert things[1].expired == [2.0]
    assert len(reported) == 2


async def test_it_sweeps_by_itself_until_stopped() -> None:
    ticker = LoopTicker(SystemClock(), interval=0.005)
    swept = asyncio.Event()

    class Waking(Thing):
        def expire(self, now: float) -> None:
            super().expire(now)
            swept.set()

    ticker.add(Waking(0.0))
    ticker.start()
    await swept.wait()
    ticker.stop()
    again = Thing(0.0)
    ticker.add(again)
    await asyncio.sleep(0.02)
    assert not again.expired
