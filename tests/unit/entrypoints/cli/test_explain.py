import json

import pytest

from clavero.domain.catalogue import codes
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.explain import explain
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.options import Common


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def test_a_code_has_its_fact_its_cause_and_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("model_not_allowed") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("model_not_allowed  ")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["cause", "fix"]


def test_a_status_has_every_code_that_answers_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("429") == 0
    out = capsys.readouterr().out
    assert all(code in out for code in ("rate_limit_exceeded", "concurrency_exceeded", "insufficient_quota"))


def test_without_a_code_all_of_them_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(common=Common(json=True)) == 0
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["codes"]] == codes()


def test_the_language_of_the_terminal_is_spoken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    explain("key_revoked")
    assert "remedio:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("insuficient_quota", "clavero explain insufficient_quota"),
        ("zzz", "clavero explain lists them"),
        ("999", "clavero explain lists them"),
    ],
)
def test_an_unknown_code_is_not_found_and_the_nearest_is_named(code: str, fix: str) -> None:
    with pytest.raises(Failure) as refused:
        explain(code)
    assert (refused.value.exit_code, refused.value.fix) == (Exit.NOT_FOUND, fix)
