import json

import pytest

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.options import Common, ago, changes, dollars, listed, state_cell


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def test_notes_go_to_stderr_and_not_where_only_data_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    for common in (Common(), Common(quiet=True), Common(json=True)):
        common.note("enabled", name="x")
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("", "Enabled x.\n")


def test_json_is_one_line_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert Common(json=True).answer({"ñ": [1, None]}) == 0
    assert capsys.readouterr().out == '{"ñ":[1,null]}\n'
    assert json.loads('{"ñ":[1,null]}') == {"ñ": [1, None]}


def test_an_empty_table_says_what_fills_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert Common().table("NAME", [], "clavero key create NAME") == 0
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "clavero key create NAME" in seen.err


def test_never_is_a_dash_and_a_moment_is_told_from_now() -> None:
    assert ago(None) == "-"
    assert ago("1970-01-01T00:00:00Z").endswith(" ago")
    assert ago("2999-01-01T00:00:00Z").startswith("in ")


def test_money_follows_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dollars(1_204_500_000_000) == "$1,204.50"
    monkeypatch.setenv("LC_ALL", "es_MX.UTF-8")
    assert dollars(1_204_500_000_000) == "1\u202f204.50 USD"


@pytest.mark.parametrize(
    ("state", "meaning"),
    [("active", "ok"), ("rotating", "warn"), ("disabled", "warn"), ("revoked", "bad"), ("retired", "bad")],
)
def test_a_state_has_the_colour_of_what_it_means(state: str, meaning: str) -> None:
    assert state_cell(state).meaning == meaning


def test_an_empty_list_says_what_it_means() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == "*"
    assert listed([], "every model") == "every model"


def test_a_change_of_nothing_is_a_usage_error() -> None:
    assert changes(owner="bo", expires_in=None, add_models=(), reason="") == {"owner": "bo"}
    for given in ({}, {"owner": None, "reason": "why"}):
        with pytest.raises(Failure) as refused:
            changes(**given)
        assert refused.value.exit_code is Exit.USAGE
