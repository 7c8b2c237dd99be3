"""`clavero request`: the newest exchanges, and those that come while one looks."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len

from clavero.entrypoints.cli.follow import follow
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.show import GAP, Cell, Row, fitting
from clavero.entrypoints.cli.speech import heading
from clavero.entrypoints.cli.usage import tokens_of
from clavero.entrypoints.cli.when import milliseconds, shown

# Name, width, and whether it stands at the right; at 80 columns the first five are shown.
_COLUMNS = (
    ("TIME", 8, False), ("STATUS", 6, False), ("KEY", 24, False), ("MODEL", 20, False), ("TOTAL", 9, True),
    ("COST", 10, True), ("REQUEST", 25, False),
)  # fmt: skip


def list_(  # noqa: PLR0913 - one parameter for each flag
    *,
    key: str = "",
    service: str = "",
    model: str = "",
    status: int | None = None,
    code: str = "",
    before: str = "",
    limit: int = 20,
    common: Common = COMMON,
) -> int:
    """List the newest requests; `clavero trace ID` shows one in full.

    Example: clavero request list --key prod-mail-01 --status 429

    Parameters
    ----------
    key
        Those of this key alone, by its name or public id.
    service
        Those of this service alone.
    model
        Those that asked for this model alone.
    status
        Those that were answered so alone.
    code
        Those that ended with this code alone.
    before
        Those before a moment, or the `next` of a page.
    limit
        How many, at most 500.
    """
    answer = common.api().get(
        "/requests", key=key, service=service, model=model, status=status, code=code, before=before, limit=limit
    )
    if common.json:
        return common.answer(answer)
    rows = [_row(one) for one in answer["requests"]]
    common.table("REQUEST STATUS MODEL TOKENS COST KEY TIME CODE TOTAL", rows, "clavero smoke")
    if answer["next"] and rows:
        common.tell(f"  clavero request list --before {answer['next']}")
    return 0


def tail(  # noqa: PLR0913 - one parameter for each flag
    *,
    key: str = "",
    service: str = "",
    model: str = "",
    status: int | None = None,
    code: str = "",
    limit: int = 0,
    common: Common = COMMON,
) -> int:
    """Show requests as they end, until Ctrl-C; it goes on by itself when clavero is started again.

    With --json one object a line. More than 100 a second are counted, not shown; failures are shown before all else.

    Example: clavero request tail --key prod-mail-01

    Parameters
    ----------
    key
        Those of this key alone, by its name or public id.
    service
        Those of this service alone.
    model
        Those that asked for this model alone.
    status
        Those that were answered so alone.
    code
        Those that ended with this code alone.
    limit
        End after so many; 0 goes on.
    """
    sought = {"key": key, "service": service, "model": model, "status": status, "code": code}
    line = Line(common)
    seen = 0
    for event in follow(common.api, "/requests/tail", sought, lambda: common.note("again")):
        if event.name == "request":
            line.show(event.told)
            seen += 1
        elif event.name == "more":
            common.note("not_shown", count=f"{event.told['more']:,}")
        if limit and seen >= limit:
            break
    return 0


class Line:
    """Requests one to a line, in columns of a fixed width: nobody knows yet what will come."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._screen = common.screen()
        shown = fitting([width for _, width, _ in _COLUMNS], self._screen.width)
        self._columns = _COLUMNS[:shown]
        self._begun = False

    def show(self, one: dict[str, Any]) -> None:
        """One request, out at once."""
        if self._common.json:
            self._common.answer(one)
        else:
            if not self._begun and not self._common.quiet:
                self._write([Cell(heading(name), "dim") for name, _, _ in self._columns])
            self._begun = True
            self._write(_passing(one)[: len(self._columns)])
        sys.stdout.flush()

    def _write(self, cells: Sequence[Cell]) -> None:
        parts: list[Cell | str] = []
        for cell, (_, width, right) in zip(cells, self._columns, strict=True):
            room = " " * (width - cell_len(self._screen.clean(cell.text)))
            parts += [room, cell, GAP] if right else [cell, room, GAP]
        self._screen.line(*parts)


def status_cell(status: int) -> Cell:
    """A status in the colour of what it means."""
    return Cell(str(status), "ok" if status < 400 else "warn" if status < 500 else "bad")


def _row(one: dict[str, Any]) -> Row:
    return (
        one["request_id"], status_cell(one["status"]), one["model_asked"] or "-", f"{tokens_of(one):,}",
        dollars(one["cost_nano_usd"], 6), one["key"] or one["kid"], shown(one["at"]), one["code"] or "-",
        milliseconds(one["total_us"]),
    )  # fmt: skip


def _passing(one: dict[str, Any]) -> Sequence[Cell]:
    """A request as it passes by; what failed shows its code in the place of its model."""
    status = status_cell(one["status"])
    what = Cell(one["code"], status.meaning) if one["code"] else Cell(one["model_served"] or one["model_asked"] or "-")
    return (
        Cell(one["at"][11:19]), status, Cell(one["key"] or one["kid"] or "-"), what,
        Cell(milliseconds(one["total_us"])), Cell(dollars(one["cost_nano_usd"], 6)), Cell(one["request_id"]),
    )  # fmt: skip
