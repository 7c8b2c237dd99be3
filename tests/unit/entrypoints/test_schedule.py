import asyncio
from pathlib import Path

import pytest

from clavero.entrypoints import schedule
from clavero.entrypoints.processes import Instructions
from clavero.settings import Backup, Settings, Storage
from clavero.testing.clock import StoppedClock

HOUR = 3600


def instructions(folder: Path, hours: float) -> Instructions:
    settings = Settings(storage=Storage(data_dir=str(folder)), backup=Backup(every_hours=hours))
    return Instructions(
        settings=settings, root_keys=(), name="control", report_fd=0, orders_fd=0, gateway_port=0, admin_port=0
    )


async def test_a_backup_is_taken_when_the_newest_is_too_old_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, newest, runs = StoppedClock(), 0, list[int]()
    monkeypatch.setattr(schedule, "newest_ns", lambda _settings: newest)
    looks = 0

    async def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        clock.advance(HOUR)
        if looks == 5:
            raise asyncio.CancelledError

    async def run(_instructions: Instructions) -> int:
        nonlocal newest
        newest = clock.wall_ns()
        runs.append(looks)
        return 0

    monkeypatch.setattr("clavero.entrypoints.schedule.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await schedule.backups(instructions(tmp_path, 2), clock, run)
    assert runs == [0, 2, 4]


async def test_one_that_fails_is_not_tried_every_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        raise asyncio.CancelledError

    async def fail(_instructions: Instructions) -> int:
        return 7

    monkeypatch.setattr("clavero.entrypoints.schedule.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await schedule.backups(instructions(tmp_path, 24), StoppedClock(), fail)
    assert pauses == [600.0]


async def test_none_is_taken_where_none_is_wanted(tmp_path: Path) -> None:
    async def fail(_instructions: Instructions) -> int:
        raise AssertionError

    await schedule.backups(instructions(tmp_path, 0), StoppedClock(), fail)
