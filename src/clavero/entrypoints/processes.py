"""What the supervisor and its children say to each other: instructions down a pipe, reports up another.

The root keys travel here and nowhere else: never an argument, the environment or a file. A child dies with its
supervisor and cannot be read by another process of the same user. What it is told later, such as a new root key while
the vault moves to it, comes down a second pipe as orders.
"""

import asyncio
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.reach import Reach
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.certificates import Pair
from clavero.settings import Setting, Settings

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


class Instructions(Struct, frozen=True, kw_only=True):
    """Everything a child is told at its start. Ports are numbers: the supervisor has settled 0."""

    settings: Settings
    root_keys: tuple[bytes, ...]
    name: str
    report_fd: int
    orders_fd: int
    gateway_port: int
    admin_port: int
    reach: Reach = Reach(gateway="", admin="", gateway_here="", admin_here="")
    pair: Pair | None = None  # the certificate of both listeners; None without TLS
    simulator_url: str = ""  # "" outside the demo
    sources: tuple[Setting, ...] = ()  # where each setting came from
    seal: str = ""  # how the root keys are wrapped

    def __repr__(self) -> str:
        return f"Instructions({self.name})"  # the root keys are in here


class Ready(Struct, frozen=True, tag="ready"):
    """The child serves. `facts` are what the supervisor shows, such as the one-time link."""

    facts: Mapping[str, str] = {}


class Failed(Struct, frozen=True, tag="failed"):
    """The child cannot start, and why."""

    code: str
    message: str
    fix: str
    exit_code: int


class Alive(Struct, frozen=True, tag="alive"):
    """The child's loop turns; said about once a second. `seq` is the newest change that it has applied."""

    at_ns: int
    seq: int = 0


class Holds(Struct, frozen=True, tag="holds"):
    """The child has these root keys now, by name."""

    roots: tuple[str, ...]


class AddRoot(Struct, frozen=True, tag="add_root"):
    """The control plane wants a new root key made, kept in the seal, and held by every child."""


class KeepRoot(Struct, frozen=True, tag="keep_root"):
    """The control plane wants every other root key destroyed, once every worker has applied change `seq`."""

    root: str
    seq: int


Report = Ready | Failed | Alive | Holds | AddRoot | KeepRoot
_REPORTS = msgspec.json.Decoder(Report)


class Roots(Struct, frozen=True, tag="roots"):
    """An order: from now on these are the root keys, oldest first."""

    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Roots({len(self.keys)})"


class Settled(Struct, frozen=True, tag="settled"):
    """An order: what the control plane wanted is done, and every child holds these; or why it is not."""

    roots: tuple[str, ...]
    failure: str = ""


Order = Roots | Settled
_ORDERS = msgspec.json.Decoder(Order)


def hand_over(instructions: Instructions) -> int:
    """A pipe from which a child reads its instructions; the write end is closed already. They fit a pipe's 64 KiB."""
    reader, writer = os.pipe()
    try:
        os.write(writer, msgspec.msgpack.encode(instructions))
    finally:
        os.close(writer)
    return reader


def take_instructions(descriptor: int) -> Instructions:
    """Read the instructions once and close the pipe."""
    parts = []
    while part := os.read(descriptor, 65536):
        parts.append(part)
    os.close(descriptor)
    return msgspec.msgpack.decode(b"".join(parts), type=Instructions)


class Reporter:
    """A child's way of telling its supervisor; one that has gone, or has not read for long, is not an error here."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)  # a supervisor that is stopped must not stop us with a full pipe

    def say(self, report: Report) -> None:
        """Send one report, one line."""
        try:
            os.write(self._descriptor, msgspec.json.encode(report) + b"\n")
        except OSError:
            return

    def holds(self, roots: tuple[str, ...]) -> None:
        """Report the names of the root keys that are here."""
        self.say(Holds(roots))

    def failed(self, failure: StartFailure) -> None:
        """Report why the start failed."""
        self.say(Failed(failure.code, failure.message, failure.fix, int(failure.exit_code)))


def read_report(line: bytes) -> Report:
    """One line of a child's report."""
    report: Report = _REPORTS.decode(line)
    return report


def read_order(line: bytes) -> Order:
    """One line of a supervisor's orders."""
    order: Order = _ORDERS.decode(line)
    return order


def failure_of(report: Failed) -> StartFailure:
    """The failure that a child reported."""
    return StartFailure(report.code, report.message, report.fix, Exit(report.exit_code))


def guard_memory() -> None:
    """Keep other processes of this user from reading our memory and environment (PR_SET_DUMPABLE 0), and cores away."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent(parent: int) -> None:
    """End at once when the supervisor does; it may have ended before this call."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(Exit.FAILED)


def be_child(serve: Callable[[Instructions, Reporter], Coroutine[Any, Any, None]], loop: Callable[[Any], None]) -> None:
    """Be one child process: take the instructions, serve, and tell the supervisor where that fails."""
    guard_memory()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    os.umask(0o077)  # whatever is made here is its owner's alone, the database too
    die_with_parent(int(sys.argv[2]))
    instructions = take_instructions(int(sys.argv[1]))
    reporter = Reporter(instructions.report_fd)
    try:
        loop(serve(instructions, reporter))
    except StartFailure as failure:
        reporter.failed(failure)
        sys.exit(int(failure.exit_code))


def on_reload(reload: Callable[[], None]) -> None:
    """Call this whenever this process is told to read its certificate again."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


def stop_signal() -> asyncio.Event:
    """An event that is set once this process is told to drain."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop
