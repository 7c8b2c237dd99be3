"""A thousand revocations under load on four workers, and what becomes of one when the database goes.

What is promised: once `revoke` has been answered it is committed, and each worker hears of it from the database by
itself, with or without a control plane. Without a database nothing can be revoked; that is said, and the key stays as it
was until somebody succeeds.
"""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.e2e.campaign.server import server
from tests.e2e.own_provider import introduce, own_provider
from tests.e2e.revoking import STREAMS_CUT, Crowd, Line, OpenStream, lines, made, refused_after, told_of, until
from tests.e2e.running import Running, clean_environ, start, wait_for

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]
WORKERS = 4
REVOCATIONS, RATE = 1_000, 200.0
PROMISED, NOISE = 1.0, 2.0  # seconds; what a busy machine may add
GIVE_UP = 20.0
BATCH = 25


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("four") / "data", "--workers", str(WORKERS))
    wait_for(lambda: len(running.workers()) == WORKERS, 60)
    yield running
    running.stop()


def keys_of(running: Running, count: int, infix: str) -> dict[str, str]:
    """New keys by name."""
    return {name: made(running, name) for name in (f"prod-{infix}-k{number:04d}-01" for number in range(count))}


def revoke(running: Running, name: str) -> float:
    """Revoke a key; when that was answered."""
    answer = running.api("POST", f"/keys/{name}/revoke", {"reason": "leak"})
    assert answer.status == 200, answer.body
    return time.monotonic()


async def known_everywhere(doors: list[Line], key: str) -> None:
    for door in doors:
        end = time.monotonic() + GIVE_UP
        while await door.code(key):
            assert time.monotonic() < end
            await asyncio.sleep(0.01)


async def refused_everywhere(doors: list[Line], revoked: dict[str, float]) -> list[float]:
    """For each key and worker: seconds from the revocation's answer to the first refusal."""
    return await asyncio.gather(
        *(refused_after(door, key, told, GIVE_UP) for key, told in revoked.items() for door in doors)
    )


@pytest.mark.requirement(73)
def test_a_thousand_revocations_under_load(four: Running) -> None:
    keys = keys_of(four, REVOCATIONS, "crowd")
    print(f"{len(keys)} keys made", flush=True)

    async def run() -> tuple[list[float], list[float], Crowd]:
        doors = await lines(four, four.key, WORKERS)
        await known_everywhere(doors, list(keys.values())[-1])
        over, crowd, delays, took = asyncio.Event(), Crowd(four, [*keys.values(), four.key], RATE), [], []
        calling = asyncio.get_running_loop().create_task(crowd.run(over))
        for number, (name, key) in enumerate(keys.items()):
            began = time.monotonic()
            told = await asyncio.to_thread(revoke, four, name)
            took.append(told - began)
            crowd.revoked[key] = told
            delays += await refused_everywhere(doors, {key: told})
            if number % 200 == 199:
                print(f"{number + 1} revoked, {len(crowd.answers)} calls", flush=True)
        over.set()
        await calling
        return delays, took, crowd

    began = time.monotonic()
    delays, took, crowd = asyncio.run(run())
    rate = len(crowd.answers) / (time.monotonic() - began)
    told_of(took, "revocations answered")
    figures = told_of(delays, f"first refusal on each of {WORKERS} workers, {rate:.0f} calls/s beside")
    print(f"calls broken: {crowd.broken}, let in more than a second late: {crowd.let_in_late(PROMISED)}")
    assert len(delays) == REVOCATIONS * WORKERS
    assert figures["p99"] <= PROMISED + NOISE
    assert crowd.let_in_late(PROMISED + NOISE) == 0
    assert {status for _, _, status in crowd.answers} <= {200, 401}


@pytest.mark.requirement(73)
def test_forty_open_streams_are_cut(four: Running) -> None:
    names = keys_of(four, 20, "streams")
    with own_provider() as address:
        introduce(four, address, lambda: four.api("POST", "/providers/own/credential", {"secret": "own-key-1"}))
        streams = {name: [OpenStream(four, key), OpenStream(four, key)] for name, key in names.items()}
        assert until(lambda: all(one.words >= 3 for two in streams.values() for one in two), 60)
        told = {name: revoke(four, name) for name in names}
        for one in (one for two in streams.values() for one in two):
            one.thread.join(30)
        assert all(b"key_revoked" in one.read for two in streams.values() for one in two)
        figures = told_of([one.ended - told[name] for name, two in streams.items() for one in two], "streams cut after")
    assert figures["most"] <= STREAMS_CUT + NOISE


class TestSqlite:
    """Somebody holds the database, or the control plane dies."""

    def test_a_committed_revocation_holds_while_nobody_can_write(self, four: Running) -> None:
        keys = keys_of(four, BATCH + 1, "held")
        *ended, last = keys
        with ExitStack() as held:
            blow = lambda: held.enter_context(_held(four))  # noqa: E731 - the database is held from then on
            delays = _ended_by(four, {name: keys[name] for name in ended}, blow)
            assert told_of(delays, "first refusal, database held")["most"] <= PROMISED + NOISE
            began = time.monotonic()
            answer = four.api("POST", f"/keys/{last}/revoke", {"reason": "leak"})
            print(f"refused to revoke after {time.monotonic() - began:.1f} s: {answer.body.decode()[:200]}")
            assert answer.status == 503
            assert four.post("/v1/models", {}, authorization=f"Bearer {keys[last]}").status != 401
        revoke(four, last)

    def test_a_committed_revocation_holds_although_the_control_plane_is_killed(self, four: Running) -> None:
        keys = keys_of(four, BATCH, "killed")
        delays = _ended_by(four, keys, lambda: os.kill(four.children()["control_main"], signal.SIGKILL))
        assert told_of(delays, "first refusal, control plane killed")["most"] <= PROMISED + NOISE
        assert until(lambda: _answers(four), 60), "the control plane came back"


class TestPostgres:
    """The server dies at the moment at which a revocation is answered."""

    def test_a_committed_revocation_holds_although_the_server_is_killed(self, tmp_path: Path) -> None:
        with server() as database, own_provider() as address:
            environ = {**clean_environ(tmp_path), "DATABASE_URL": database.fresh()}
            running = start(tmp_path / "data", "--workers", str(WORKERS), environ=environ)
            try:
                introduce(running, address, lambda: running.api("POST", "/providers/own/credential", {"secret": "k-1"}))
                delays: list[float] = []
                for turn in range(5):
                    keys = keys_of(running, BATCH, f"turn{turn}")
                    delays += self._once(running, keys, database.die)
                    database.start()
                    assert until(lambda: _answers(running), 60)
                    assert {running.api("GET", f"/keys/{name}").json["state"] for name in keys} == {"revoked"}
            finally:
                running.stop()
        assert told_of(delays, "first refusal, PostgreSQL killed")["most"] <= PROMISED + NOISE

    def _once(self, running: Running, keys: dict[str, str], die: Callable[[], None]) -> list[float]:
        name, key = next(iter(keys.items()))
        assert until(lambda: running.post("/v1/models", {}, authorization=f"Bearer {key}").status != 401, GIVE_UP)
        stream = OpenStream(running, key)
        assert until(lambda: stream.words >= 3, 30), stream.read
        delays = _ended_by(running, keys, die)
        stream.thread.join(30)
        assert b"key_revoked" in stream.read, "an open stream is cut without a database too"
        assert running.api("POST", f"/keys/{name}/enable", {}).status == 503, "changes are closed"
        return delays


def _ended_by(running: Running, keys: dict[str, str], blow: Callable[[], object]) -> list[float]:
    """Revoke each key; at once after the last answer comes the blow. How long each worker let each key in."""

    async def run() -> list[float]:
        doors = await lines(running, running.key, WORKERS)
        await known_everywhere(doors, list(keys.values())[-1])
        told = {key: await asyncio.to_thread(revoke, running, name) for name, key in keys.items()}
        blow()
        return await refused_everywhere(doors, told)

    return asyncio.run(run())


@contextmanager
def _held(running: Running) -> Iterator[None]:
    """Hold SQLite's write lock."""
    database = sqlite3.connect(running.data / "clavero.db", timeout=10, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


def _answers(running: Running) -> bool:
    try:
        return running.api("GET", "/status").status == 200
    except OSError:
        return False
