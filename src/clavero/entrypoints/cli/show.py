"""What a terminal shows: tables whose columns drop from the right, signs with colours, and plain text elsewhere.

Names and amounts stay whole, so a column that does not fit goes as a whole. Whatever came from elsewhere is cleaned of
control characters first: the name of a model is a caller's text, and could move the cursor.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from msgspec import Struct
from rich.cells import cell_len

from clavero.settings import variable

GAP = "  "
_NARROWEST = 20
_ONE_PERCENT = 0.01
_COLOURS = {"ok": "32", "warn": "33", "bad": "31", "paste": "36", "dim": "2", "": ""}
_SIGNS = {"ok": "✓", "warn": "!", "bad": "✗"}
_ASCII = {
    "✓": "+", "✗": "x", "·": "-", "…": "...", "→": "->", "█": "#", "▌": "-", "≤": "<=", "«": '"', "»": '"',
    "\u202f": " ",
    "á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u", "ñ": "n", "¿": "?",
}  # fmt: skip


class Cell(Struct, frozen=True):
    """A text and what it means: ok, warn, bad, paste, dim, or nothing of these."""

    text: str
    meaning: str = ""


class Column(Struct, frozen=True):
    """One column of a table; figures stand at the right."""

    heading: str
    right: bool = False


Row = Sequence[Cell | str]


class Screen:
    """Where a command writes: data to `out`; `width` None is no terminal, so that nothing has to fit."""

    def __init__(self, out: TextIO, *, width: int | None = None, colour: bool = False) -> None:
        self.width = width
        self.colour = colour
        self._out = out
        self.encoding = (out.encoding or "utf-8").lower().replace("_", "-")

    def line(self, *cells: Cell | str) -> None:
        """One line of texts, each coloured by what it means."""
        self._out.write("".join(self.paint(cell) for cell in cells).rstrip() + "\n")

    def table(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Rows under headings; as many columns as fit, the first one always."""
        table = [[Cell(column.heading, "dim") for column in columns], *([_cell(one) for one in row] for row in rows)]
        widths = [max(cell_len(self.clean(row[place].text)) for row in table) for place in range(len(columns))]
        shown = fitting(widths, self.width)
        for row in table:
            self.line(*self._spaced(row[:shown], columns, widths))

    def paint(self, cell: Cell | str) -> str:
        """A text as it goes out: cleaned, in letters that the terminal has, coloured where it may be."""
        cell = _cell(cell)
        text = self.clean(cell.text)
        code = _COLOURS[cell.meaning]
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text.strip() else text

    def clean(self, text: str) -> str:
        """Printable letters alone, ASCII where the encoding has no more."""
        text = "".join(letter if letter.isprintable() or letter == "\u202f" else "?" for letter in text)
        if self.encoding in {"utf-8", "utf8"}:
            return text
        plain = "".join(_ASCII.get(letter, letter) for letter in text)
        return plain.encode("ascii", "replace").decode("ascii")

    def _spaced(self, row: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int]) -> Iterable[Cell | str]:
        for place, cell in enumerate(row):
            room = " " * (widths[place] - cell_len(self.clean(cell.text)))
            if place:
                yield GAP
            yield from ((room, cell) if columns[place].right else (cell, room))


def screen(out: TextIO | None = None) -> Screen:
    """The screen of this process: colour and width only on a terminal that wants them."""
    out = out or sys.stdout
    terminal = out.isatty()
    colour = terminal and not variable("NO_COLOR") and variable("TERM") != "dumb"
    return Screen(out, width=_width(terminal=terminal), colour=colour)


def fitting(widths: Sequence[int], room: int | None) -> int:
    """How many columns of these widths stand side by side; at least one."""
    if room is None:
        return len(widths)
    used = 0
    for place, width in enumerate(widths):
        used += width + (len(GAP) if place else 0)
        if place and used > room:
            return place
    return len(widths)


def sign(meaning: str) -> Cell:
    """✓ ! or ✗ in its colour."""
    return Cell(_SIGNS[meaning], meaning)


def bar(share: float, width: int = 5) -> str:
    """A bar of so many blocks; one percent shows one already, and only what is full fills it."""
    full = min(width if share >= 1 else width - 1, max(1 if share >= _ONE_PERCENT else 0, round(share * width)))
    return "█" * full + "·" * (width - full)


def facts(lines: Mapping[str, str]) -> list[str]:
    """Names and what they are, in two columns; what is empty is left out."""
    told = {name: text for name, text in lines.items() if text}
    room = max((cell_len(name) for name in told), default=0)
    return [f"{name}{' ' * (room - cell_len(name))}  {text}" for name, text in told.items()]


def _cell(given: Cell | str) -> Cell:
    return given if isinstance(given, Cell) else Cell(given)


def _width(*, terminal: bool) -> int | None:
    said = variable("COLUMNS")
    if said.isdecimal() and int(said) > 0:
        return max(_NARROWEST, int(said))
    if not terminal:
        return None
    import shutil

    return max(_NARROWEST, shutil.get_terminal_size().columns)
