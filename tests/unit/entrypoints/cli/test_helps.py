import itertools
import subprocess
import sys

import pytest

from clavero import __version__
from clavero.entrypoints.cli import helps
from clavero.entrypoints.cli.app import NOUNS, VERBS
from clavero.entrypoints.cli.helps import FILE, help_for, written

LEAVES = [*([verb] for verb in VERBS), *([noun, verb] for noun, (_, verbs) in NOUNS.items() for verb in verbs.split())]


def test_the_file_says_what_the_commands_say() -> None:
    assert FILE.read_text("utf-8") == written(), "python -m clavero.entrypoints.cli.helps writes it again"


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_a_help_with_an_example_of_itself(words: list[str]) -> None:
    text = help_for([*words, "--help"])
    assert text is not None
    assert text.startswith(f"Usage: clavero {' '.join(words)}")
    assert f"Example:\n  clavero {' '.join(words)}" in text


@pytest.mark.parametrize("words", [[], *([noun] for noun in NOUNS)], ids=" ".join)
def test_a_word_alone_shows_what_can_follow_it(words: list[str]) -> None:
    text = help_for(words)
    assert text is not None
    assert text == help_for([*words, "--help"]) == help_for([*words, "-h"])
    assert "Commands:" in text


@pytest.mark.parametrize(
    "arguments",
    [["key", "create", "x", "--owner", "--help"], ["key", "create", "--help", "x"], ["why", "a", "b", "-h"]],
)
def test_help_is_given_wherever_it_is_asked_for(arguments: list[str]) -> None:
    assert (help_for(arguments) or "").startswith("Usage: clavero")


@pytest.mark.parametrize(
    "arguments",
    [
        ["key", "list"],
        ["usage"],
        ["key", "create", "x"],
        ["keyy", "--help"],
        ["key", "lst", "-h"],
        ["keyy"],
        ["key", "show", "--", "--help"],
        ["key", "--json"],
    ],
)
def test_what_is_to_run_or_is_not_known_gets_no_help(arguments: list[str]) -> None:
    assert help_for(arguments) is None


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_one_line(flag: str) -> None:
    assert help_for([flag]) == f"clavero {__version__}\n"


def test_no_line_but_an_example_is_longer_than_80() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    long = [line for before, line in itertools.pairwise(lines) if len(line) > helps.WIDTH and before != "Example:"]
    assert [line for line in long if not line.startswith("Usage:")] == []


def test_a_help_imports_neither_the_commands_nor_what_they_stand_on() -> None:
    heavy = "cyclopts", "rich", "msgspec", "fastapi", "asyncio", "clavero.entrypoints.cli.key"
    code = f"import sys; from clavero.__main__ import run; run(['key', 'create', '--help']); print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage: clavero key create" in done.stdout
