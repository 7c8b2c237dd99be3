"""Crash points inside the real processes of the product, put there from outside: its code knows nothing of them.

A point is a place in the code, by name: before or after one function of one module. Whoever wants a process to die
there leaves a file `armed/POINT` that says how often the place is to be passed before, and by which signal; the first
process that comes by takes the file, passes so often, writes `died/POINT.PID` and sends itself the signal. So exactly
one process dies (or stops) for each file.
"""

import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

VARIABLE = "CRASH_POINTS"  # the folder with `armed`, `taken` and `died`; without it nothing happens here
CONSTANTS = "constants.json"  # in that folder: by module, constants of the product that a campaign has otherwise

Call = Callable[..., Any]
Where = Callable[..., bool]


@dataclass(frozen=True)
class Point:
    """A place: before or after `attribute` of `module` (`torn`: halfway through), where `when` says so."""

    name: str
    role: str  # which process passes it: worker, control, supervisor
    module: str
    attribute: str
    how: str = "after"
    when: Where = lambda *_, **__: True
    most: int = 12  # passages before the deadly one, at most: few where the place is seldom passed


def _asks(_session: object, talk: Any, *_: object) -> bool:
    return any(any(ask.need.values()) for ask in talk.asks)


def _gives_back(_session: object, talk: Any) -> bool:
    return bool(talk.returned)


def _money(turn: Any) -> bool:
    return bool(turn.holds or turn.postings)


_HOLD, _RELAY = "clavero.gateway.reserve", "clavero.gateway.relay"
_JOURNAL, _LENDER = "clavero.adapters.storage.journal", "clavero.adapters.storage.lender"
_BOOKS = "clavero.adapters.storage.books"
_CHILD, _SUPERVISOR = "clavero.entrypoints.child", "clavero.entrypoints.supervisor"

POINTS = (
    # The way of a call, in its order.
    Point("hold taken, not queued", "worker", _HOLD, "Hold.when_written", "before"),
    Point("hold queued, not written", "worker", _HOLD, "Hold.when_written"),
    Point("hold written, call not gone", "worker", _RELAY, "Relay.send", "before"),
    Point("call sent", "worker", _RELAY, "Relay.send"),
    Point("answer begun", "worker", _RELAY, "Relay.head"),
    Point("answer whole, not settled", "worker", _HOLD, "Hold.settle", "before"),
    Point("settlement queued, not written", "worker", _HOLD, "Hold.settle"),
    Point("settled, not answered", "worker", _HOLD, "Hold._written", "before"),
    Point("answered", "worker", _HOLD, "Hold._tell"),
    Point("inside a journal write", "worker", _JOURNAL, "SegmentJournal._put", "torn"),
    Point("journal written, nobody told", "worker", _JOURNAL, "SegmentJournal._put"),
    Point(
        "next segment begun", "worker", _JOURNAL, "SegmentJournal._begin", when=lambda _self, _file, no, _before: no > 0,
        most=0,
    ),
    # The money talk.
    Point("boot known, nothing lent", "worker", _LENDER, "SqlLender.register", most=0),
    Point("in a borrow, rows locked", "worker", _LENDER, "_lock", when=_asks, most=3),
    Point("in a borrow, before commit", "worker", _LENDER, "in_session", when=_asks, most=3),
    Point("in a borrow, want written", "worker", _LENDER, "_change_wants", most=1),
    Point("in a return, before commit", "worker", _LENDER, "in_session", when=_gives_back, most=3),
    Point("lent, not heard", "worker", _LENDER, "SqlLender.talk", when=lambda _self, talk: bool(talk.asks), most=3),
    # Ingest and the end of boots.
    Point("in ingest, position moved", "control", _BOOKS, "_advance", when=lambda _session, turn: _money(turn), most=3),
    Point("in ingest, money posted", "control", _BOOKS, "_keep_rejects", when=lambda _session, turn, _: _money(turn), most=3),
    Point("ingest committed, nobody told", "control", _BOOKS, "SqlBooks.post", when=lambda _self, turn: _money(turn), most=3),
    Point("in a close, holds charged", "control", _BOOKS, "_charge_open_holds", most=0),
    Point("boot closed, nobody told", "control", _BOOKS, "SqlBooks.close_boot", most=0),
    Point("in a change, before commit", "control", "clavero.control.commit", "_append", "awaited", most=0),
    # The supervisor.
    Point("instructions piped, child not begun", "supervisor", _CHILD, "hand_over", most=0),
    Point("everything up, not told", "supervisor", _SUPERVISOR, "Supervisor._opened", "before"),
    Point("told to stop", "supervisor", _SUPERVISOR, "Supervisor._told_to_stop"),
    Point(
        "workers ended, control plane not", "supervisor", _CHILD, "Child.stop", "before",
        lambda child, _grace: child.name == "control",
    ),
)  # fmt: skip


class Striker:
    """Takes what is armed, counts passages, and kills this process."""

    def __init__(self, folder: Path) -> None:
        self.constants: dict[str, dict[str, Any]] = json.loads((folder / CONSTANTS).read_text())
        self._folder = folder
        self._left: dict[str, int] = {}
        self._signals: dict[str, int] = {}

    def due(self, name: str) -> bool:
        """Whether this passage is the one to die at."""
        left = self._left.get(name)
        if left is None:
            taken = self._folder / "taken" / f"{name}.{os.getpid()}"
            try:
                (self._folder / "armed" / name).rename(taken)
            except OSError:
                return False
            left, self._signals[name] = map(int, taken.read_text().split())
        self._left[name] = left - 1
        return left == 0

    def die(self, name: str) -> None:
        """Leave word, and die as if somebody had pulled the plug; or stop here until somebody says go on."""
        (self._folder / "died" / f"{name}.{os.getpid()}").touch()
        os.kill(os.getpid(), self._signals[name])
        time.sleep(0.1)  # until the signal is here, nothing else happens


def wrapped(point: Point, original: Call, striker: Striker) -> Call:
    """The function with the point in it."""
    if point.how in {"torn", "awaited"}:
        return (_torn if point.how == "torn" else _awaited)(point, original, striker)

    def passing(*arguments: Any, **named: Any) -> Any:
        if point.how == "before":
            if point.when(*arguments, **named) and striker.due(point.name):
                striker.die(point.name)
            return original(*arguments, **named)
        result = original(*arguments, **named)
        if point.when(*arguments, **named) and striker.due(point.name):
            striker.die(point.name)
        return result

    return passing


def _torn(point: Point, original: Call, striker: Striker) -> Call:
    def put(journal: Any, data: bytes) -> Any:
        if striker.due(point.name):
            os.pwrite(journal._file, data[: len(data) // 2], journal._position)
            striker.die(point.name)
        return original(journal, data)

    return put


def _awaited(point: Point, original: Call, striker: Striker) -> Call:
    async def passing(*arguments: Any, **named: Any) -> Any:
        result = await original(*arguments, **named)
        if striker.due(point.name):
            striker.die(point.name)
        return result

    return passing


def place(module: ModuleType, striker: Striker) -> None:
    """Put the points of a module into it."""
    for point in POINTS:
        if point.module == module.__name__:
            owner: Any = module
            *path, name = point.attribute.split(".")
            for part in path:
                owner = getattr(owner, part)
            setattr(owner, name, wrapped(point, getattr(owner, name), striker))
    for name, value in striker.constants.get(module.__name__, {}).items():
        setattr(module, name, value)


class _Loader(importlib.abc.Loader):
    """Loads a module as ever, then puts its points in."""

    def __init__(self, loader: importlib.abc.Loader, striker: Striker) -> None:
        self._loader = loader
        self._striker = striker

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        place(module, self._striker)


class _Finder(importlib.abc.MetaPathFinder):
    """Stands before the usual finders for the modules that have points."""

    def __init__(self, striker: Striker) -> None:
        self._striker = striker
        self._wanted = {point.module for point in POINTS} | striker.constants.keys()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._wanted:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self._striker)
                return spec
        return None


def install() -> None:
    """Called at the start of a process; does nothing where the variable is not set."""
    folder = os.getenv(VARIABLE)  # noqa: TID251 - a process of the product hears of its test in no other way
    if folder:
        sys.meta_path.insert(0, _Finder(Striker(Path(folder))))
