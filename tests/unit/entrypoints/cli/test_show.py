import io

import pytest

from clavero.entrypoints.cli.show import Cell, Column, Screen, bar, facts, fitting, screen, sign

COLUMNS = [Column("NAME"), Column("SPENT", right=True), Column("OWNER")]
ROWS = [("prod-support-chat-01", "$4.20", "asha"), ("dev-x-01", Cell("$10.00", "bad"), "bo")]


def shown(width: int | None = None, *, colour: bool = False, encoding: str = "utf-8", rows: object = ROWS) -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    Screen(out, width=width, colour=colour).table(COLUMNS, rows)  # type: ignore[arg-type] # rows of texts and cells
    out.flush()
    return out.buffer.getvalue().decode(encoding)


def test_a_table_has_headings_and_figures_at_the_right() -> None:
    assert shown().splitlines() == [
        "NAME                   SPENT  OWNER",
        "prod-support-chat-01   $4.20  asha",
        "dev-x-01              $10.00  bo",
    ]


def test_where_it_is_narrow_columns_drop_from_the_right_and_names_stay_whole() -> None:
    assert shown(30).splitlines()[1] == "prod-support-chat-01   $4.20"
    assert shown(22).splitlines()[1] == "prod-support-chat-01"
    assert shown(10).splitlines()[1] == "prod-support-chat-01"


def test_no_line_is_longer_than_the_terminal_where_the_name_fits() -> None:
    assert all(len(line) <= 30 for line in shown(30).splitlines())


def test_without_a_terminal_there_is_neither_colour_nor_a_width() -> None:
    assert "\x1b" not in shown()
    assert "OWNER" in shown()


def test_colour_stands_around_what_means_something_and_moves_no_column() -> None:
    coloured = shown(colour=True)
    assert "\x1b[31m$10.00\x1b[0m" in coloured
    assert coloured.replace("\x1b[31m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") == shown()


def test_without_utf_8_everything_is_ascii() -> None:
    out = io.TextIOWrapper(io.BytesIO(), "latin-1")
    console = Screen(out)
    console.line(sign("ok"), " ", sign("bad"), " …→█· Añadida «x» 漢")
    out.flush()
    assert out.buffer.getvalue() == b'+ x ...->#- Anadida "x" ?\n'


def test_a_callers_text_moves_no_cursor_and_breaks_no_line() -> None:
    text = shown(rows=[("gpt\x1b[2J\n4o\u202e", "$1", "x")])
    assert text.count("\n") == 2
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_wide_letters_take_two_places() -> None:
    lines = shown(rows=[("漢字", "$1", "x"), ("abcd", "$1", "x")]).splitlines()
    assert lines[1].index("$1") == lines[2].index("$1") - 2


@pytest.mark.parametrize(("room", "columns"), [(None, 3), (12, 3), (11, 2), (7, 2), (6, 1), (1, 1)])
def test_as_many_columns_stand_as_fit(room: int | None, columns: int) -> None:
    assert fitting([4, 1, 3], room) == columns


@pytest.mark.parametrize(
    ("share", "blocks"),
    [(0, "·····"), (0.004, "·····"), (0.01, "█····"), (0.5, "██···"), (0.99, "████·"), (1.0, "█████"), (7.0, "█████")],
)
def test_a_bar_is_full_only_where_nothing_is_left(share: float, blocks: str) -> None:
    assert bar(share) == blocks


def test_facts_stand_beside_their_names_and_empty_ones_are_left_out() -> None:
    assert facts({"ID": "x", "Reason": "", "State": "active"}) == ["ID     x", "State  active"]


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "colour"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    variables: dict[str, str], colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "100")
    found = screen(Tty())
    assert (found.colour, found.width) == (colour, 100)


def test_a_pipe_has_no_width_unless_columns_says_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert screen(io.StringIO()).width is None
    monkeypatch.setenv("COLUMNS", "60")
    assert screen(io.StringIO()).width == 60
    monkeypatch.setenv("COLUMNS", "wide")
    assert screen(io.StringIO()).width is None
