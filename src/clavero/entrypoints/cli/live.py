"""A terminal that shows the same thing anew each second, hears single keys, and is left as it was found."""

import contextlib
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

EVERY_SECONDS = 1.0
_LOOK_SECONDS = 0.2  # how soon a changed size is noticed
_ENDS = frozenset({"q", "Q", "\x1b", "\x04"})


class Step(Protocol):
    """The lines for a terminal of so many; `fresh` where a second has passed."""

    def __call__(self, height: int, *, fresh: bool) -> list[str]:
        """Draw."""
        ...


class Ended(Exception):
    """A signal asked for the end."""


def show(step: Step, keys: Mapping[str, Callable[[], None]], every: float = EVERY_SECONDS) -> int:
    """Show until q, Ctrl-C or a signal that ends; whatever happens, screen, cursor and keyboard are given back."""
    console = Console(highlight=False, markup=False, soft_wrap=False)
    with (
        contextlib.suppress(Ended),
        _signals(),
        _keyboard() as pressed,
        Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
    ):
        _run(live, step, keys, pressed, every)
    return 0


def _run(
    live: Live, step: Step, keys: Mapping[str, Callable[[], None]], pressed: Callable[[float], str], every: float
) -> None:
    due, size = 0.0, live.console.size
    while True:
        fresh = time.monotonic() >= due
        if fresh:
            due = time.monotonic() + every
        lines = step(live.console.size.height, fresh=fresh)
        live.update(_text(lines), refresh=True)
        while time.monotonic() < due and live.console.size == size:
            key = pressed(min(_LOOK_SECONDS, max(0.0, due - time.monotonic())))
            if key in _ENDS:
                return
            if key in keys:
                keys[key]()
                break
        size = live.console.size


def _text(lines: list[str]) -> Text:
    text = Text("\n", no_wrap=True, overflow="crop", end="").join(Text.from_ansi(line) for line in lines)
    text.no_wrap, text.overflow = True, "crop"
    return text


@contextlib.contextmanager
def _keyboard() -> Iterator[Callable[[float], str]]:
    """Single keys as they are pressed; "" for none within so many seconds, and for ever where there is no keyboard."""
    if not sys.stdin.isatty():
        yield _nobody
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        quiet = termios.tcgetattr(descriptor)
        quiet[6][termios.VSUSP] = b"\0"  # a stopped process would leave its screen behind
        termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
        yield lambda seconds: _key(descriptor, seconds)
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _nobody(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _key(descriptor: int, seconds: float) -> str:
    """One key; of what a key like an arrow sends nothing is taken for Escape alone."""
    import os

    ready, _, _ = select.select([descriptor], [], [], seconds)
    if not ready:
        return ""
    return os.read(descriptor, 64).decode("utf-8", "replace") or "\x04"


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end as q does."""

    def ended(_number: int, _frame: Any) -> None:
        raise Ended

    before = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
