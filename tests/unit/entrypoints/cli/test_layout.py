import io

import pytest
from cyclopts import App
from rich.console import Console

from clavero.entrypoints.cli.layout import WIDTH, Layout, columns, example, plain


def test_meanings_are_wrapped_beside_their_names() -> None:
    lines = columns([("--a", "word " * 30), ("--longer", "x")])
    assert lines[0].startswith("  --a       word")
    assert lines[1].startswith(" " * 12 + "word")
    assert lines[-1] == "  --longer  x"
    assert all(len(line) <= WIDTH for line in lines)


def test_a_name_that_is_too_long_has_its_own_line() -> None:
    assert columns([("--" + "x" * 40, "what")])[0] == "  --" + "x" * 40


def test_an_example_can_be_pasted_whole() -> None:
    assert example("Example: clavero x --y").splitlines() == ["Example:", "  clavero x --y"]


@pytest.mark.parametrize(("told", "text"), [(None, ""), (" a ", "a")])
def test_whatever_is_told_becomes_text(told: object, text: str) -> None:
    assert plain(told) == text


def test_a_help_has_usage_description_example_and_what_is_required() -> None:
    def verb(name: str, /, *, owner: str, size: int = 3, quick: bool = False) -> None:
        """Do it to a <name>.

        Example: prog verb x --owner asha

        Parameters
        ----------
        name
            Whom.
        owner
            Whose.
        size
            How big.
        quick
            At once.
        """

    app = App(name="prog", help_formatter=Layout(), help_format="plaintext")
    app.command(verb, name="verb")
    out = io.StringIO()
    app.help_print(["verb"], console=Console(file=out, width=WIDTH))
    text = out.getvalue()
    assert text.startswith("Usage: prog verb")
    assert "Do it to a <name>." in text
    assert "Example:\n  prog verb x --owner asha\n" in text
    assert "Whose. [required]" in text
    assert "How big. [3]" in text
    assert "False" not in text
