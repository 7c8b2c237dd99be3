"""Following a stream of events that has no end: opened again, where it left off, whenever it breaks."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from clavero.entrypoints.cli.client import Api
from clavero.entrypoints.cli.failure import Failure

_BROKEN = frozenset({"not_running", "no_answer", "overloaded"})  # what may be over soon
_LONGEST_WAIT = 5.0


class Event(NamedTuple):
    """One event: its name and what it says."""

    name: str
    told: dict[str, Any]


def follow(
    opened: Callable[[], Api], path: str, query: Mapping[str, object], broken: Callable[[], None]
) -> Iterator[Event]:
    """Events without end; `opened` finds the running clavero anew each time, `broken` is told once for each break.

    `Failure` where it is refused, and where it cannot even begin.
    """
    asked = urlencode({name: str(value) for name, value in query.items() if value not in {"", None}})
    last, wait = "", 0.0
    while True:
        try:
            for name, value in _fields(opened().lines(f"{path}?{asked}" if asked else path, last)):
                if name == "id":
                    last, wait = value, 0.0
                else:
                    yield _event(name, value)
        except Failure as failure:
            if failure.code not in _BROKEN or not last:
                raise
        if not wait:
            broken()
        wait = min(_LONGEST_WAIT, wait * 2 or 0.25)
        time.sleep(wait)


def _fields(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """`id` with its value where the place moves, and each event's name with its data."""
    name, data = "", ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "id":
            yield "id", value
        elif field == "event":
            name = value
        elif field == "data":
            data = value
        elif not line and name:
            yield name, data
            name = data = ""


def _event(name: str, data: str) -> Event:
    try:
        told = json.loads(data)
    except ValueError:
        told = {}
    if name == "over":
        raise Failure(str(told.get("code", "refused")), str(told.get("message", name)), "clavero doctor")
    return Event(name, told if isinstance(told, dict) else {})
