import string
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.entrypoints.cli.speech import heading, language, say, speak
from clavero.entrypoints.cli.texts import HEADINGS, TEXTS


@pytest.fixture(autouse=True)
def no_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "de_DE"}, "en"),
        ({"LANG": "en_US", "LC_ALL": "es"}, "es"),
        ({"LANG": "es", "LC_ALL": "C"}, "en"),
    ],
)
def test_the_language_is_the_terminals_in_the_order_of_posix(
    variables: dict[str, str], spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken


def test_headings_follow_the_language_and_unknown_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heading("SPENT") == "SPENT"
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    assert heading("SPENT") == "GASTADO"
    assert heading("UNHEARD") == "UNHEARD"


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_have_the_same_facts(key: str) -> None:
    english, spanish = ({name for _, name, _, _ in string.Formatter().parse(text) if name} for text in TEXTS[key])
    assert english == spanish
    assert all(TEXTS[key])


def test_no_heading_is_empty() -> None:
    assert all(HEADINGS.values())


def test_people_are_spoken_to_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say(speak("headers_ok"))
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("", "complete\n")


def test_a_stderr_on_a_full_disk_fails_nobody() -> None:
    say_it = "from clavero.entrypoints.cli.speech import say; say('a'); say('b'); print('done')"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", say_it], stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.returncode, done.stdout) == (0, b"done\n")
