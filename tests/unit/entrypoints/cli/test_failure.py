import os

import pytest

from clavero.domain import tokens
from clavero.domain.refusals import NotFound
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.cli.failure import Failure, two_lines, unforeseen, usage


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


@pytest.mark.parametrize(
    "ending",
    [Failure("x", "a fact", "a remedy"), StartFailure("x", "a fact", "a remedy"), Failure("x", "a fact.", "a remedy.")],
)
def test_a_failure_is_a_fact_and_a_remedy(ending: Failure | StartFailure) -> None:
    assert two_lines(ending) == "error: a fact  [x]\n  fix: a remedy"


def test_a_refusal_of_control_is_told_in_the_same_way() -> None:
    assert two_lines(NotFound("key", "a", "b")) == "error: There is no key a  [not_found]\n  fix: Try b"


def test_without_a_remedy_there_is_one_line() -> None:
    assert two_lines(Failure("x", "a fact", "")) == "error: a fact  [x]"


def test_what_is_quoted_makes_no_line_moves_no_cursor_and_shows_no_key() -> None:
    _, secret = tokens.mint(tokens.Kind.VIRTUAL_KEY, "prod", os.urandom)
    text = two_lines(Failure("x", f"no\nmodel \x1b[2J {secret.reveal()}", "try\rthis"))
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\r" not in text
    assert secret.reveal() not in text


def test_words_and_remedy_follow_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    assert two_lines(Failure("x", "un hecho", "algo")) == "error: un hecho  [x]\n  remedio: algo"


def test_a_command_written_wrongly_exits_with_2() -> None:
    assert usage("a", "b").exit_code is Exit.USAGE


def test_the_unforeseen_says_what_and_where_but_not_its_text() -> None:
    error = KeyError("hunter22")
    told = unforeseen(error)
    assert told.code == "internal_error"
    assert "KeyError" in told.message
    assert "hunter22" not in two_lines(told)
