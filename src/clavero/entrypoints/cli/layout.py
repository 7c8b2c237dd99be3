"""How help looks: plain text in 80 columns, names at the left, what they mean beside them."""

import textwrap
from typing import Any

from cyclopts.help import HelpEntry, HelpPanel
from rich.console import Console, ConsoleOptions

WIDTH = 80
_INDENT = "  "
_WIDEST = 26  # a name that is longer has a line of its own
_TELL_NOTHING = frozenset({"", '""', "False", "None", "()", "[]"})


class Layout:
    """A formatter for cyclopts; colours and boxes are left to terminals of other programs."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:  # noqa: ARG002 - cyclopts names it
        """One group of options or arguments."""
        if panel.entries:
            lines = [f"{plain(panel.title)}:"]
            rows = [(_label(entry), _meaning(entry)) for entry in panel.entries]
            _write(console, "\n".join([*lines, *columns(rows), ""]))

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:  # noqa: ARG002 - cyclopts names it
        """How the command is written."""
        if text := plain(usage):
            _write(console, text if text.startswith("Usage:") else f"Usage: {text}")
            _write(console, "")

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:  # noqa: ARG002 - cyclopts names it
        """What the command does; an example stays on one line, so that it can be pasted."""
        for paragraph in plain(description).split("\n\n"):
            text = " ".join(paragraph.split())
            if text:
                _write(console, example(text) if text.startswith("Example:") else textwrap.fill(text, WIDTH))
                _write(console, "")


def columns(rows: list[tuple[str, str]]) -> list[str]:
    """Names and meanings side by side, wrapped at the width of a help."""
    room = min(_WIDEST, max((len(name) for name, _ in rows), default=0))
    lines: list[str] = []
    for name, meaning in rows:
        start = f"{_INDENT}{name:{room}}  "
        hanging = " " * (len(_INDENT) + room + 2)
        if len(name) > room:
            lines.append(f"{_INDENT}{name}")
            start = hanging
        filled = textwrap.fill(meaning, WIDTH, initial_indent=start, subsequent_indent=hanging, break_on_hyphens=False)
        lines += filled.splitlines() or [start.rstrip()]
    return lines


def example(text: str) -> str:
    """The example under a word that says so."""
    return f"Example:\n{_INDENT}{text.removeprefix('Example:').strip()}"


def plain(told: Any) -> str:
    """The text of whatever cyclopts hands over."""
    if told is None:
        return ""
    if isinstance(told, str):
        return told.strip()
    if hasattr(told, "plain"):
        return str(told.plain).strip()
    console = Console(width=10_000, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(told, end="")
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).strip()


def _label(entry: HelpEntry) -> str:
    return ", ".join(entry.display_labels_with_metavar)


def _meaning(entry: HelpEntry) -> str:
    parts = [" ".join(plain(entry.description).split())]
    if entry.choices:
        parts.append(f"One of {', '.join(entry.choices)}.")
    if entry.default is not None and str(entry.default) not in _TELL_NOTHING:
        parts.append(f"[{entry.default}]")
    if entry.required and entry.positive_names:
        parts.append("[required]")
    return " ".join(part for part in parts if part)


def _write(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
