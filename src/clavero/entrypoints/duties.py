"""The duties of a process: what runs beside its work until it ends, and goes on when it failed.

A duty that ended unseen would be missed only when it is needed: a watch that no longer watches. So what one throws is
told, and it begins again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from clavero.entrypoints.logs import Log

_PAUSE_SECONDS: Final = 1.0
_SAID_AGAIN: Final = 60  # failures of the same kind, about a minute

Work = Callable[[], Coroutine[Any, Any, None]]


class Duties:
    """Runs duties until `end`."""

    def __init__(self, log: Log, pause: float = _PAUSE_SECONDS) -> None:
        self._log = log
        self._pause = pause
        self._running: list[asyncio.Task[None]] = []

    def begin(self, name: str, work: Work) -> None:
        """Run a duty from now on; one that returns is done."""
        self._running.append(asyncio.get_running_loop().create_task(self._keep(name, work), name=name))

    async def end(self) -> None:
        """End them all; a step that runs in a thread is waited for by nobody."""
        for task in self._running:
            task.cancel()
        for task in self._running:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._running.clear()

    async def _keep(self, name: str, work: Work) -> None:
        said, times = "", 0
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it was, the duty is still wanted
                times = times + 1 if repr(error) == said else 0
                said = repr(error)
                if times % _SAID_AGAIN == 0:
                    self._log.failure("duty_failed", error, duty=name)
                await asyncio.sleep(self._pause)
            else:
                return
