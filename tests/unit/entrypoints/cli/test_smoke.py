import os
from pathlib import Path

import pytest

from clavero.domain import tokens
from clavero.entrypoints.cli.call import Answered
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.smoke import PROMISED, chosen_key, headers_check, model_check


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def minted() -> str:
    return tokens.mint(tokens.Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal()


def answered(**headers: str) -> Answered:
    found = dict.fromkeys(PROMISED, "x") | {name.replace("_", "-"): value for name, value in headers.items()}
    return Answered(headers={name: value for name, value in found.items() if value}, total_us=1)


def test_every_promised_header_must_be_there() -> None:
    assert headers_check(answered())["ok"]
    missing = headers_check(answered(x_clavero_key=""))
    assert not missing["ok"]
    assert "x-clavero-key" in missing["text"]


def test_what_was_asked_and_what_was_served_stand_side_by_side() -> None:
    check = model_check("fast", answered(x_clavero_model="gpt-4o-mini", x_clavero_provider="openai"))
    assert check == {"check": "model", "ok": True, "text": "asked fast, served gpt-4o-mini (openai)"}
    assert not model_check("fast", answered(x_clavero_model=""))["ok"]


def test_the_named_file_goes_before_the_demo_and_the_demo_before_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, demo, variable = minted(), minted(), minted()
    monkeypatch.setenv("OPENAI_API_KEY", variable)
    assert chosen_key(None, tmp_path).reveal() == variable
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "b.key").write_text(demo)
    assert chosen_key(None, tmp_path).reveal() == demo
    (tmp_path / "named").write_text(named)
    assert chosen_key(tmp_path / "named", tmp_path).reveal() == named


def test_a_providers_key_is_never_sent_to_the_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "a1" * 20)
    with pytest.raises(Failure) as refused:
        chosen_key(None, tmp_path)
    assert refused.value.code == "no_key"
