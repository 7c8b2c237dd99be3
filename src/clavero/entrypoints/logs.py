"""Log lines: one JSON object each, to stderr, with everything that looks like a secret masked.

An own writer of thirty lines, because the usual ones cost 11 to 28 µs a line where an exchange has 110.
"""

import contextlib
import os
import time
import traceback
from datetime import UTC, datetime

import msgspec

from clavero.domain.secret import mask, mask_event

_STDERR = 2
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log:
    """Writes lines of at least a level. Never raises: a log that cannot be written is not a reason to fail."""

    def __init__(self, level: str, process: str) -> None:
        self._least = _LEVELS[level]
        self._process = process

    def say(self, event: str, level: str = "info", **facts: object) -> None:
        """One line."""
        if _LEVELS[level] < self._least:
            return
        line = {"ts": _now(), "level": level, "process": self._process, "event": event}
        line |= mask_event(None, level, dict(facts))
        self._write(msgspec.json.encode(line, enc_hook=lambda value: mask(str(value))))

    def failure(self, event: str, error: BaseException, **facts: object) -> None:
        """One line for a fault of ours: where it was raised, without the values of that moment."""
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
        self.say(event, "error", error=type(error).__name__, message=str(error), where=where[-8:], **facts)

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(_STDERR, line + b"\n")


def _now() -> str:
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
