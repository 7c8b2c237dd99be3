"""The options that every command takes, and what a command works with: the API, the screen, the time."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclopts import Parameter

from clavero.bootstrap.cli import clock
from clavero.domain.units import format_ago, money
from clavero.entrypoints.cli.client import SECONDS, Api
from clavero.entrypoints.cli.failure import usage
from clavero.entrypoints.cli.place import open_api, place_of
from clavero.entrypoints.cli.show import Cell, Column, Row, Screen, screen
from clavero.entrypoints.cli.speech import heading, language, say, speak
from clavero.entrypoints.cli.when import instant_ns

_RIGHT = frozenset(
    {"SIZE", "ROWS", "SPENT", "HELD", "LIMIT", "COST", "CALLS", "TOKENS", "ERRORS", "INPUT", "OUTPUT", "CACHED", "USED"}
)


@Parameter(name="*", group="Everywhere")
@dataclass(frozen=True)
class Common:
    """The options of every command that asks the running clavero."""

    json: bool = False
    "Answer as one JSON object, for programs."
    quiet: bool = False
    "Data and errors alone."
    url: str | None = None
    "Address of the admin API (CLAVERO_URL, else that of the clavero on the data directory)."
    data_dir: Path | None = None
    "Its data directory (./clavero-data)."

    def api(self, seconds: float = SECONDS) -> Api:
        """The API that these options lead to."""
        return open_api(place_of(self.url, self.data_dir), seconds)

    def note(self, key: str, **facts: object) -> None:
        """Tell people something that is no data."""
        self.tell(speak(key, **facts))

    def tell(self, text: str) -> None:
        """Tell people a text that is no data."""
        if not (self.quiet or self.json):
            say(text)

    def answer(self, told: object) -> int:
        """The whole answer as JSON; the exit code of a command that went well."""
        sys.stdout.write(json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n")
        return 0

    def table(self, names: str, rows: Sequence[Row], otherwise: str) -> int:
        """Rows under the headings named (words, dearest column last); a hint where there are none."""
        if not rows:
            self.note("none", fix=otherwise)
            return 0
        columns = [Column(heading(name), name in _RIGHT) for name in names.split()]
        screen().table(columns, rows)
        return 0

    def screen(self) -> Screen:
        """Where data goes."""
        return screen()


COMMON = Common()


def dollars(amount: int, places: int = 2) -> str:
    """Nano-USD in the language of the terminal."""
    return money(amount, places, language())


def ago(moment: str | None) -> str:
    """A moment of the API as `in 29 d` or `3 h ago`; "-" for never."""
    return format_ago(instant_ns(moment), clock().wall_ns(), language()) if moment else "-"


def state_cell(state: str) -> Cell:
    """A state in the colour of what it means."""
    good, soon = {"active", "open", "running", "enabled", "live"}, {"pending", "rotating", "disabled", "closing"}
    return Cell(state, "ok" if state in good else "warn" if state in soon else "bad")


def listed(names: Sequence[str], otherwise: str = "*") -> str:
    """Names in a row; what an empty list means."""
    return ", ".join(names) if names else otherwise


def changes(**given: Any) -> dict[str, Any]:
    """What was given of some changes; a usage error where nothing was."""
    found = {name: value for name, value in given.items() if value is not None and value not in ((), "")}
    if not found.keys() - {"reason"}:
        raise usage(speak("nothing_to_change"), "--help", "nothing_to_change")
    return found
