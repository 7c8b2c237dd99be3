"""The help of every command, written ahead: reading it takes a file, making it takes every command.

`help.txt` is made by `python -m clavero.entrypoints.cli.helps`; a test compares it with the commands.
"""

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts import App

FILE = Path(__file__).with_name("help.txt")
WIDTH = 80
_ASKS = ("--help", "-h")
_MARK = "== "


def help_for(arguments: Sequence[str]) -> str | None:
    """The help or the version that is asked for; None where a command is to run, or is not known."""
    before = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    if before in (["--version"], ["-V"]):
        from clavero import __version__

        return f"clavero {__version__}\n"
    words = _words(before)
    asked = any(ask in before for ask in _ASKS)
    if not asked and len(words) < len(arguments):
        return None
    sections = _sections()
    name = next(one for end in range(len(words), -1, -1) if (one := " ".join(words[:end])) in sections)
    whole = name == " ".join(words)
    if _is_group(name, sections):
        return sections[name] if whole else None
    return sections[name] if asked else None


def generated() -> Iterator[tuple[str, str]]:
    """Every command in its order and its help, as the commands themselves have it."""
    from clavero.entrypoints.cli.app import ABOUT, NOUNS, VERBS, make_app

    app = make_app()
    verbs = {verb: _help_of(app, [verb]) for verb in VERBS}
    yield "", _overview(ABOUT, verbs, {noun: f"{about} ({_spread(names)})" for noun, (about, names) in NOUNS.items()})
    yield from verbs.items()
    for noun, (about, names) in NOUNS.items():
        own = {name: _help_of(app, [noun, name]) for name in names.split()}
        yield noun, _group(noun, about, own)
        yield from ((f"{noun} {name}", text) for name, text in own.items())


def written() -> str:
    """The whole file."""
    return "".join(f"{_MARK}{name}\n{text}" for name, text in generated())


def _help_of(app: "App", path: Sequence[str]) -> str:
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    app.help_print(list(path), console=console)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines()) + "\n"


def _overview(about: str, verbs: Mapping[str, str], nouns: Mapping[str, str]) -> str:
    from clavero.entrypoints.cli.layout import columns

    lines = ["Usage: clavero COMMAND", "", *textwrap.wrap(about, WIDTH), "", "Commands:"]
    lines += columns([(name, _summary(text)) for name, text in verbs.items()])
    lines += ["", "Nouns, each with its verbs:", *columns(list(nouns.items())), ""]
    lines += [
        "Example:",
        "  clavero up --demo",
        "",
        "clavero COMMAND --help says more; clavero --version which this is.",
    ]
    return "\n".join(lines) + "\n"


def _group(noun: str, about: str, verbs: Mapping[str, str]) -> str:
    from clavero.entrypoints.cli.layout import columns

    lines = [f"Usage: clavero {noun} COMMAND", "", about, "", "Commands:"]
    lines += columns([(name, _summary(text)) for name, text in verbs.items()])
    lines += ["", "Example:", _example(next(iter(verbs.values())))]
    return "\n".join(lines) + "\n"


def _summary(text: str) -> str:
    """The first paragraph after the usage line."""
    return " ".join(text.split("\n\n")[1].split())


def _example(text: str) -> str:
    return text.partition("Example:\n")[2].partition("\n")[0]


def _spread(names: str) -> str:
    return ", ".join(names.split())


def _sections() -> dict[str, str]:
    sections: dict[str, str] = {}
    for block in ("\n" + FILE.read_text("utf-8")).split(f"\n{_MARK}")[1:]:
        name, _, text = block.partition("\n")
        sections[name] = text.rstrip("\n") + "\n"
    return sections


def _words(arguments: Sequence[str]) -> list[str]:
    """The words before the first option."""
    words: list[str] = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        words.append(argument)
    return words


def _is_group(name: str, sections: dict[str, str]) -> bool:
    return not name or any(other.startswith(f"{name} ") for other in sections)


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
