import asyncio
from typing import Any

import pytest

from clavero.entrypoints.duties import Duties
from clavero.entrypoints.logs import Log


class Said(Log):
    """A log that keeps its lines."""

    def __init__(self) -> None:
        super().__init__("info", "test")
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def say(self, event: str, level: str = "info", **facts: object) -> None:
        self.lines.append((event, facts))


async def test_a_duty_that_fails_is_told_and_begins_again() -> None:
    log, runs, done = Said(), list[int](), asyncio.Event()

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise OSError(28, f"no space left, {len(runs)}")
        done.set()

    duties = Duties(log, pause=0)
    duties.begin("watch", work)
    await asyncio.wait_for(done.wait(), 5)
    await duties.end()
    assert len(runs) == 3
    assert [(event, facts["duty"], facts["message"]) for event, facts in log.lines] == [
        ("duty_failed", "watch", "[Errno 28] no space left, 1"),
        ("duty_failed", "watch", "[Errno 28] no space left, 2"),
    ]


async def test_the_same_failure_again_and_again_is_not_said_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clavero.entrypoints.duties._SAID_AGAIN", 3)
    log, runs, done = Said(), list[int](), asyncio.Event()

    async def work() -> None:
        runs.append(1)
        if len(runs) > 6:
            done.set()
            await asyncio.sleep(60)
        raise ValueError("the same")

    duties = Duties(log, pause=0)
    duties.begin("watch", work)
    await asyncio.wait_for(done.wait(), 5)
    await duties.end()
    assert len(log.lines) == 2


async def test_one_that_fails_disturbs_no_other_nor_the_end() -> None:
    log, beats = Said(), list[int]()

    async def broken() -> None:
        raise RuntimeError("broken")

    async def beating() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0)

    duties = Duties(log, pause=0.001)
    duties.begin("broken", broken)
    duties.begin("beating", beating)
    await asyncio.sleep(0.05)
    assert len(beats) > 1
    await duties.end()
    count = len(beats)
    await asyncio.sleep(0.01)
    assert len(beats) == count


async def test_one_that_returns_is_done() -> None:
    runs = list[int]()

    async def once() -> None:
        runs.append(1)

    duties = Duties(Said(), pause=0)
    duties.begin("once", once)
    await asyncio.sleep(0.01)
    await duties.end()
    assert runs == [1]
