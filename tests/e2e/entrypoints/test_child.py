"""One child, as a real process: what it says is heard, what it is told arrives, and it comes back when it dies."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.entrypoints.child import Child
from clavero.entrypoints.processes import Instructions, KeepRoot, Roots
from clavero.settings import Settings
from clavero.vault.keyring import RootKeys

ONE, TWO = b"\1" * 32, b"\2" * 32
PROGRAM = """
import os, sys, time
from clavero.entrypoints.processes import KeepRoot, Ready, Reporter, read_order, take_instructions
from clavero.vault.keyring import RootKeys
told = take_instructions(int(sys.argv[1]))
reporter = Reporter(told.report_fd)
if told.name == "dies":
    sys.exit(3)
if told.name == "loads" and os.path.exists(os.environ["LOADED_ONCE"]):
    time.sleep(600)
open(os.environ["LOADED_ONCE"], "w").close()
reporter.say(Ready({"keys": str(len(told.root_keys))}))
for line in os.fdopen(told.orders_fd, "rb"):
    order = read_order(line)
    reporter.holds(RootKeys.of(order.keys).ids)
    reporter.say(KeepRoot("rk_0000", 5))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "a_child.py").write_text(PROGRAM)
    monkeypatch.setenv("LOADED_ONCE", str(tmp_path / "loaded"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return "a_child"


def child_of(program: str, name: str, keys: list[bytes]) -> Child:
    def instructions(report_fd: int, orders_fd: int) -> Instructions:
        return Instructions(
            settings=Settings(), root_keys=tuple(keys), name=name, report_fd=report_fd, orders_fd=orders_fd,
            gateway_port=1, admin_port=2,
        )  # fmt: skip

    return Child(name, program, instructions, None)


@pytest.fixture
def keys() -> list[bytes]:
    return [ONE]


async def until(what: object) -> None:
    assert callable(what)
    async with asyncio.timeout(30):
        while not what():  # noqa: ASYNC110 - a process of its own
            await asyncio.sleep(0.01)


@pytest.mark.timeout(90)
async def test_orders_arrive_and_a_child_that_died_starts_with_what_there_is_by_then(
    program: str, keys: list[bytes]
) -> None:
    wishes: list[object] = []
    child = child_of(program, "lives", keys)
    child.asked = wishes.append
    running = asyncio.ensure_future(child.run())
    assert (await child.ready).facts == {"keys": "1"}
    assert child.holds == RootKeys.of([ONE]).ids
    keys.append(TWO)
    child.order(Roots(tuple(keys)))
    await until(lambda: wishes)
    assert wishes == [KeepRoot("rk_0000", 5)]
    assert child.holds == RootKeys.of(keys).ids
    keys.pop(0)
    before = child.pid
    child.signal(signal.SIGKILL)
    await until(lambda: child.pid not in {None, before} and child.holds == RootKeys.of([TWO]).ids)
    child.order(Roots((ONE,)))  # no end of a pipe is left from the first life
    await until(lambda: child.holds == RootKeys.of([ONE]).ids)
    await child.stop(0.1)
    await running


@pytest.mark.timeout(90)
async def test_a_child_that_never_serves_is_given_up(program: str, keys: list[bytes]) -> None:
    child = child_of(program, "dies", keys)
    child.order(Roots((ONE,)))  # nobody there yet: no error
    running = asyncio.ensure_future(child.run())
    with pytest.raises(StartFailure, match="ended 3"):
        await child.ready
    await running


async def test_a_child_that_cannot_be_started_is_told_of_and_not_waited_for() -> None:
    def broken(_report_fd: int, _orders_fd: int) -> Instructions:
        raise OverflowError("too much for a pipe")

    child = Child("x", "nowhere", broken, None)
    with pytest.raises(OverflowError):
        await child.run()
    with pytest.raises(OverflowError):
        await child.ready


@pytest.mark.timeout(90)
async def test_a_child_that_falls_silent_is_killed_unless_nobody_listened(
    program: str, keys: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = child_of(program, "lives", keys)
    running = asyncio.ensure_future(child.run())
    await child.ready
    assert not child.kill_if_silent()
    monkeypatch.setattr("clavero.entrypoints.child.SILENT_SECONDS", 0.5)
    await asyncio.sleep(0.6)
    child.excuse()  # the supervisor slept as well
    assert not child.kill_if_silent()
    await asyncio.sleep(0.6)
    before = child.pid
    assert child.kill_if_silent()
    await until(lambda: child.pid not in {None, before})
    await child.stop(1)
    await running


@pytest.mark.timeout(90)
async def test_a_child_that_has_not_said_a_word_is_given_longer(
    program: str, keys: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = child_of(program, "loads", keys)
    running = asyncio.ensure_future(child.run())
    await child.ready
    monkeypatch.setattr("clavero.entrypoints.child.SILENT_SECONDS", 0.2)
    before = child.pid
    child.signal(signal.SIGKILL)
    await until(lambda: child.pid not in {None, before})  # and now it loads for ever
    await asyncio.sleep(0.5)
    assert not child.kill_if_silent()
    monkeypatch.setattr("clavero.entrypoints.child.DUMB_SECONDS", 0.2)
    assert child.kill_if_silent()
    await child.stop(1)
    await running
