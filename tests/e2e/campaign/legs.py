"""The legs of the campaign: who is killed, how, and how often. Each returns how many died of what."""

import contextlib
import os
import random  # noqa: TID251 - the campaign's own chance, from a seed that is printed
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.campaign.arming import MOST, of
from tests.e2e.campaign.load import ROOMY
from tests.e2e.campaign.stand import Say, Stand, kill, progress
from tests.e2e.running import wait_for

_EVERY = 20  # kills between two lines of progress
_REACHED_SECONDS = 90.0  # within which somebody comes by an armed point, or it is given up
_ARMED = 2
STOPS = {"worker": "in a borrow, before commit", "control plane": "in ingest, money posted"}
FULL = ("storage_full", "ledger_unavailable", "budget_busy")
_AT_ONCE = (1, 1, 1, 2, 4)  # workers that die in the same instant, when chance picks them


class Chance:
    """The campaign's dice."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)


def workers(stand: Stand, say: Say, count: int, chance: Chance) -> dict[str, object]:
    """Kill workers, one half at random instants, the other at named points, two of which are armed all the while."""
    random_ones, named = 0, 0
    queue: list[str] = []
    told = 0
    while random_ones + named < count:
        time.sleep(chance.random.uniform(0.1, 0.7))
        if named < count // 2 and stand.arsenal.armed() < _ARMED:
            point = _next(queue, of("worker"), chance)
            stand.arsenal.arm(point, chance.random.randint(0, MOST[point]))
        if random_ones < count - count // 2:
            _goes_on(stand, 10)  # deaths are of workers that work
            random_ones += _kill_some(stand, count - count // 2 - random_ones, chance)
        named = stand.arsenal.look()
        if random_ones + named >= told + _EVERY:
            told = random_ones + named
            say(progress(stand, "workers", told, count))
        _between(stand)
    stand.arsenal.disarm()
    return _report(stand, random_ones)


def control(stand: Stand, say: Say, count: int, chance: Chance) -> dict[str, object]:
    """Kill the control plane, at named points every other time: calls go on, and nobody may notice.

    The points in the end of a boot come last, since a worker has to die for each of them.
    """
    closing = [point for point in of("control") if _closes(point)]
    quiet = [point for point in of("control") if not _closes(point)]
    queue: list[str] = []
    closed, named = len(closing) * 5 * count // 100, 0
    for step in range(count):
        wait_for(lambda: stand.control() is not None and stand.ask("GET", "/status") is not None, 120)
        if step >= count - closed:
            _strike_control(stand, closing[step % len(closing)], chance, step)
        elif named < count // 2 - closed:
            named += 1
            _strike_control(stand, _next(queue, quiet, chance), chance, step)
        else:
            time.sleep(chance.random.uniform(0.0, 0.5))
            kill(stand.control() or 0)
        _goes_on(stand)
        _between(stand)
        if step == count - closed - 1:
            stand.quiet = noticed(stand)
        if (step + 1) % _EVERY == 0:
            say(progress(stand, "control plane", step + 1, count))
    wait_for(stand.serving, 120)
    return _report(stand, count - count // 2)


def noticed(stand: Stand) -> dict[str, int]:
    """What callers with money at hand were denied: codes of refusals, and calls without a whole answer."""
    assert stand.load is not None
    tally = stand.load.tally
    return {**tally.of(*ROOMY), **({"broken": tally.broken} if tally.broken else {})}


def supervisor(stand: Stand, say: Say, count: int, chance: Chance) -> dict[str, object]:
    """Kill the supervisor: its children go with it, and a new start finds everything in order."""
    names = of("supervisor")
    for step in range(count):
        children = [pid for pid, _ in stand.running.processes()]
        if step % 2:
            _at_supervisor_point(stand, names[step // 2 % len(names)])
        else:
            time.sleep(chance.random.uniform(0.0, 1.0))
            kill(stand.running.process.pid)
        stand.running.process.wait(30)
        wait_for(lambda children=children: not any(map(_alive, children)), 60)
        stand.restart()
        _goes_on(stand)
        _between(stand)
        say(progress(stand, "supervisor", step + 1, count))
    return _report(stand, count - count // 2)


def database(stand: Stand, say: Say, count: int, chance: Chance, crash: Callable[[], None]) -> dict[str, object]:
    """Kill the database server and start it again; clavero finds its way back by itself."""
    for done in range(count):
        time.sleep(chance.random.uniform(0.0, 1.0))
        crash()
        _goes_on(stand)
        wait_for(lambda: stand.ask("GET", "/status") is not None, 120)
        _between(stand)
        if (done + 1) % 10 == 0:
            say(progress(stand, "database server", done + 1, count))
    return {"database server": count}


def asleep(stand: Stand, say: Say, seconds: float, chance: Chance) -> dict[str, object]:
    """Stop a worker, and the supervisor that would kill it; wake both after so long, and let the worker go on."""
    worker = chance.random.choice(stand.workers())
    pids = [stand.running.process.pid, worker]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    _watch(stand, say, "worker and supervisor stopped", seconds)
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)
    time.sleep(3)
    assert worker in stand.workers(), "it was killed though it had woken up"
    _goes_on(stand)
    return {"woken": 1}


def stopped(stand: Stand, say: Say) -> dict[str, object]:
    """Stop a worker, then the control plane, inside a transaction: the supervisor kills each, and all goes on."""
    for role, point in STOPS.items():
        before, seen = set(stand.running.processes()), stand.arsenal.look()
        stand.arsenal.arm(point, 0, signal.SIGSTOP)
        wait_for(lambda seen=seen: stand.arsenal.look() > seen, _REACHED_SECONDS)
        if stand.url:  # the server ends its transaction long before anybody is killed
            _goes_on(stand)
            assert set(stand.running.processes()) == before, "others had to wait until it was killed"
        say(f"{role} stopped in a transaction")
        wait_for(lambda before=before: before - set(stand.running.processes()), 120)
        wait_for(stand.serving, 120)
        _goes_on(stand)
        say(progress(stand, f"{role} killed and replaced", 1, 1))
    return {f"stopped and killed: {role}": 1 for role in STOPS}


def full_disk(stand: Stand, say: Say, disk: Path, seconds: float) -> dict[str, object]:
    """Fill the disk under load until calls are refused, kill a worker and the control plane while it is full, free it."""
    assert stand.load is not None
    ballast = disk / "ballast"
    victims = [stand.workers()[0], stand.control() or 0]
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        fill(ballast)
        if victims and passed > seconds / (1 + len(victims)):
            kill(victims.pop(0))
        time.sleep(0.2)  # what a process gave up meanwhile is filled as well
        stand.change(int(passed * 1000))
    refused = sum(stand.load.tally.of(*ROOMY).get(code, 0) for code in FULL)
    say(progress(stand, "disk full", 1, 1))
    assert refused, "the disk was full and nobody was refused"
    ballast.unlink()
    _goes_on(stand)
    wait_for(stand.serving, 120)
    return {"refused while full": refused, "died while full": 2}


def fill(ballast: Path) -> None:
    """Take what room there is, to the last page."""
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass


def _watch(stand: Stand, say: Say, what: str, seconds: float) -> None:
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(min(1.0, seconds - passed))
        _between(stand)
        if int(passed) % _EVERY == 0:
            say(progress(stand, what, int(passed), int(seconds)))


def _kill_some(stand: Stand, most: int, chance: Chance) -> int:
    running = stand.workers()
    chosen = chance.random.sample(running, min(len(running), most, chance.random.choice(_AT_ONCE)))
    for pid in chosen:
        kill(pid)
    return len(chosen)


def _strike_control(stand: Stand, point: str, chance: Chance, step: int) -> None:
    """Let the control plane die at a point, and bring it by."""
    before = stand.arsenal.look()
    stand.arsenal.arm(point, chance.random.randint(0, MOST[point]))
    if _closes(point):  # nobody closes a boot where none has died
        kill(chance.random.choice(stand.workers()))
    until = time.monotonic() + _REACHED_SECONDS
    while stand.arsenal.look() == before:
        assert time.monotonic() < until, f"the control plane never came by: {point}"
        if "change" in point:
            stand.change(step)
        time.sleep(0.02)
    stand.slowest = max(stand.slowest, time.monotonic() + _REACHED_SECONDS - until)


def _closes(point: str) -> bool:
    return "close" in point


def _next(queue: list[str], points: list[str], chance: Chance) -> str:
    """The next point; every one has its turn before any has two."""
    if not queue:
        queue += points
        chance.random.shuffle(queue)
    return queue.pop()


def _at_supervisor_point(stand: Stand, point: str) -> None:
    """Bring the supervisor by the point that it is to die at."""
    stand.arsenal.arm(point, 0)
    if point.startswith("instructions"):
        kill(stand.workers()[0])
    elif point.startswith("everything"):
        _die_while_starting(stand)
    else:
        stand.running.process.send_signal(signal.SIGINT)


def _die_while_starting(stand: Stand) -> None:
    stand.running.stop()
    try:
        stand.restart()
    except AssertionError:
        return
    raise AssertionError("it started past a point where it was to die")


def _between(stand: Stand) -> None:
    """Between two kills: the sums, and a little more money for the tight budget."""
    stand.check_sums()
    stand.raise_tight()


def _goes_on(stand: Stand, calls: int = 20) -> None:
    """Wait until so many more calls are answered."""
    before = _calls(stand)
    wait_for(lambda: _calls(stand) > before + calls, 120)


def _report(stand: Stand, random_ones: int) -> dict[str, object]:
    stand.arsenal.look()
    named = {f"died at: {point}": count for point, count in sorted(stand.arsenal.died.items())}
    slowest = {"longest way to a point, s": round(stand.slowest, 1)} if stand.slowest else {}
    return {"died at random instants": random_ones, "died at named points": sum(named.values()), **named, **slowest}


def _calls(stand: Stand) -> int:
    return len(stand.load.tally.answered) if stand.load is not None else 0


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
