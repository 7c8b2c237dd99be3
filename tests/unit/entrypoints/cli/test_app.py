import importlib
import os

import pytest

from clavero.domain import tokens
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.app import NOUNS, ROOM, VERBS, make_app, run
from clavero.entrypoints.cli.failure import Failure, two_lines


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def refused(*words: str) -> Failure:
    with pytest.raises(Failure) as found:
        run(words)
    return found.value


@pytest.mark.parametrize("target", VERBS.values())
def test_every_verb_leads_to_a_function(target: str) -> None:
    module, _, function = target.partition(":")
    assert callable(getattr(importlib.import_module(f"{ROOM}.{module}"), function))


def test_every_noun_has_a_module_with_its_verbs() -> None:
    for noun, (about, verbs) in NOUNS.items():
        module = importlib.import_module(f"{ROOM}.{noun}")
        assert about
        assert all(callable(getattr(module, verb, None) or getattr(module, f"{verb}_")) for verb in verbs.split())


def test_making_the_tree_imports_no_command() -> None:
    assert set(make_app()) >= {*VERBS, *NOUNS}


@pytest.mark.parametrize(
    ("words", "code", "says", "fix"),
    [
        (["keyy"], "unknown_command", "keyy", "clavero key"),
        (["key", "lst"], "unknown_command", "lst", "clavero key list"),
        (["qqqq"], "unknown_command", "qqqq", "clavero --help"),
        (["key", "list", "--stat", "active"], "unknown_option", "--stat", "--state"),
        (["key", "list", "--stat=active"], "unknown_option", "--stat", "--state"),
        (["key", "list", "--zzzzzzzz"], "unknown_option", "--zzzzzzzz", "clavero key list --help"),
        (["key", "create"], "missing_argument", "NAME", "clavero key create --help"),
        (["key", "create", "x"], "missing_argument", "--owner", "clavero key create --help"),
        (["key", "list", "--owner"], "missing_argument", "--owner", "clavero key list --help"),
        (["key", "show", "a", "b", "c"], "too_many_arguments", "2", "clavero key show --help"),
        (["audit", "list", "--limit", "many"], "bad_value", "many", "clavero audit list --help"),
        (
            ["provider", "add", "x", "--kind", "opnai", "--base-url", "y"],
            "bad_value",
            "opnai",
            "clavero provider add --help",
        ),
        (["up", "--workers", "x"], "bad_value", "x", "clavero up --help"),
    ],
)
def test_a_command_written_wrongly_says_what_and_what_is_near(words: list[str], code: str, says: str, fix: str) -> None:
    found = refused(*words)
    assert (found.code, found.exit_code) == (code, Exit.USAGE)
    assert says in found.message
    assert found.fix == fix


@pytest.mark.parametrize(
    "place",
    [["credential", "add", "openai", "--from"], ["credential", "add", "openai"], ["key", "show"], ["--api-key"], []],
)
def test_a_key_anywhere_on_the_command_line_is_refused_without_being_said_back(place: list[str]) -> None:
    for secret in (tokens.mint(tokens.Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal(), "sk-proj-" + "Ab1" * 14):
        found = refused(*place, secret)
        assert found.code == "inline_secret"
        assert secret not in two_lines(found)


def test_a_secret_of_a_form_that_nobody_knows_is_not_said_back_either() -> None:
    for words in (
        ["credential", "add", "azure", "hunter22hunter22"],
        ["credential", "add", "azure", "--from", "hunter22hunter22"],
        ["credential", "add", "azure", "--secret=hunter22hunter22"],
    ):
        assert "hunter22" not in two_lines(refused(*words))
