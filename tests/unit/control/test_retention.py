"""Forgetting takes short turns, the oldest first, and gives the lock back for longer than it had it."""

import asyncio

import pytest

from clavero.control import retention
from clavero.control.retention import Forgetting, Forgotten
from clavero.domain.retention import Kept, Retention
from clavero.testing.archive import MemoryArchive
from clavero.testing.clock import StoppedClock

CLOCK = StoppedClock()
TODAY = CLOCK.wall_ns() // (86_400 * 10**9)
KEPT = Retention(records_days=10, rollups_days=20, ledger_days=30)


async def test_what_is_old_goes_and_the_rest_stays() -> None:
    archive = MemoryArchive()
    for kind in Kept:
        for age in (0, 9, 10, 11, 200):
            archive.rows[kind, TODAY - age] = 300
    told = await Forgetting(archive, KEPT, CLOCK).sweep()
    assert {(kind, TODAY - day) for kind, day in archive.rows} == {
        *((kind, age) for kind in (Kept.RECORDS, Kept.MINUTES, Kept.HOURS) for age in (0, 9, 10)),
        *((kind, age) for kind in (Kept.DAYS, Kept.LEDGER) for age in (0, 9, 10, 11)),
        (Kept.CHANGES, 0),
    }
    assert Forgotten(Kept.RECORDS, TODAY - 10, 600) in told
    assert await Forgetting(archive, KEPT, CLOCK).sweep() == []


async def test_the_days_ahead_have_their_place_before_a_row_needs_it() -> None:
    archive = MemoryArchive()
    await Forgetting(archive, KEPT, CLOCK).sweep()
    assert {TODAY - 1, TODAY, TODAY + 1, TODAY + 2, TODAY + 3} <= archive.days


async def test_turns_grow_while_they_are_short_and_shrink_when_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    archive = MemoryArchive(row_ns=5_000)  # a thousand rows in five milliseconds
    archive.rows[Kept.RECORDS, 1] = 50_000
    monkeypatch.setattr("clavero.control.retention.asyncio.sleep", sleep)
    await Forgetting(archive, KEPT, CLOCK).sweep()
    assert archive.turns[0] == 200
    assert 800 <= max(archive.turns) <= 1300
    assert slept == [pytest.approx(3 * turn * 5_000 / 1e9) for turn in archive.turns]


async def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AGAIN_SECONDS", 0.0)
    archive = MemoryArchive()
    archive.rows[Kept.DAYS, 1] = 5
    archive.away = True
    told: list[Forgotten] = []
    duty = asyncio.ensure_future(Forgetting(archive, KEPT, CLOCK).forever(told.append))
    await asyncio.sleep(0.05)
    assert told == []
    archive.away = False
    for _ in range(100):
        await asyncio.sleep(0.01)
        if told:
            break
    duty.cancel()
    assert told == [Forgotten(Kept.DAYS, TODAY - 20, 5)]
