"""`clavero top`: everything that is going on, once a second, for whoever is on call."""

import sys
from collections.abc import Callable
from typing import Any

from clavero.bootstrap.cli import clock
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import Cell
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.top_page import SORTS, Table, drawn, head, tables
from clavero.settings import variable

_ASK_SECONDS = 3.0
_PAST = frozenset({"not_running", "no_answer", "not_clavero", "storage_unavailable"})  # what may be over soon


def top(*, once: bool = False, sort: str = "calls", seconds: int = 30, common: Common = COMMON) -> int:
    """Show workers, budgets near their end, providers, the busiest keys and services; again each second, until q.

    Without a terminal, with --once and with --json it is shown once. When clavero is started again, it goes on.

    Example: clavero top --sort failed

    Parameters
    ----------
    once
        Show it once, and all of it.
    sort
        Providers, keys and services by calls, failed, cost, slow or name.
    seconds
        What the figures are of, up to 60.
    """
    if sort not in SORTS:
        raise usage(speak("top_sort", names=", ".join(SORTS)), "--sort calls", "bad_value")
    look = Look(common, sort, seconds)
    look.ask()
    if common.json:
        return common.answer(look.told)
    if once or not sys.stdout.isatty() or variable("TERM") in {"", "dumb"}:
        sys.stdout.write("\n".join(look.lines(None)) + "\n")
        return 0
    from clavero.entrypoints.cli.live import show

    return show(look.step, {"s": look.sort_next})


class Look:
    """What is shown, and what it is drawn from."""

    def __init__(self, common: Common, sort: str, seconds: int, now_ns: Callable[[], int] | None = None) -> None:
        self.told: dict[str, Any] = {}
        self._common = common
        self._sort = sort
        self._seconds = seconds
        self._now_ns = now_ns or clock().wall_ns
        self._asked_ns = 0
        self._failure: Failure | None = None

    def ask(self) -> None:
        """Ask once more; `Failure` where that can only fail again, and where it never went well."""
        try:
            self.told = self._common.api(_ASK_SECONDS).get("/top", seconds=self._seconds)
        except Failure as failure:
            if not self.told or failure.code not in _PAST:
                raise
            self._failure = failure
        else:
            self._failure = None
            self._asked_ns = self._now_ns()

    def step(self, height: int, *, fresh: bool) -> list[str]:
        """The lines for a terminal of this height; `fresh` asks first."""
        if fresh:
            self.ask()
        return self.lines(height)

    def sort_next(self) -> None:
        """Sort by the next way."""
        self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]

    def lines(self, height: int | None) -> list[str]:
        """Everything, or what fits."""
        screen = self._common.screen()
        above: list[list[Cell | str]] = [list(line) for line in head(self.told)]
        if height is not None:
            above[0] += ["  ", Cell(speak("top_keys", sort=self._sort), "dim")]
        if self._failure is not None:
            age = f"{(self._now_ns() - self._asked_ns) // 1_000_000_000} s"
            above.insert(0, [Cell(f"✗ {speak('top_away', age=age, why=self._failure.message)}", "bad")])
        made: list[Table] = tables(self.told, self._sort, self._now_ns())
        return drawn(above, made, screen, height)
