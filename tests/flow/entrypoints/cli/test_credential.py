from pathlib import Path

import pytest
from tests.flow.entrypoints.cli.rig import Terminal

SECRET = "sk-" + "c3" * 20


@pytest.fixture
async def openai(terminal: Terminal) -> Terminal:
    await terminal.ok("provider", "add", "openai", "--kind", "openai", "--base-url", "https://api.openai.com")
    return terminal


async def test_a_secret_comes_from_a_variable_a_file_or_a_pipe_and_is_never_shown(
    openai: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", SECRET)
    (tmp_path / "key").write_text(SECRET + "\n")
    for source, stdin in (("env:SOME_KEY", ""), (f"file:{tmp_path / 'key'}", ""), ("-", SECRET + "\n")):
        done = await openai.ok("credential", "add", "openai", "--from", source, stdin=stdin)
        assert SECRET not in done.out + done.err
        assert "https://api.openai.com" in done.err
    listed = await openai.ok("credential", "list", "--json")
    assert [one["version"] for one in listed.json["credentials"]] == [3, 2, 1]
    assert SECRET not in listed.out
    assert f"…{SECRET[-4:]}" in (await openai.ok("credential", "list", "--provider", "openai")).out


async def test_a_secret_on_the_command_line_is_refused_and_not_taken(openai: Terminal) -> None:
    for words in (["--from", SECRET], [f"--from={SECRET}"], [SECRET]):
        done = await openai.type("credential", "add", "openai", *words)
        assert done.code == 2
        assert SECRET not in done.out + done.err
    assert (await openai.ok("credential", "list", "--json")).json["credentials"] == []


async def test_a_credential_is_removed_by_its_id(openai: Terminal) -> None:
    made = (await openai.ok("credential", "add", "openai", "--from", "-", "--json", stdin=SECRET)).json
    assert (await openai.type("credential", "remove", made["id"])).code == 2
    await openai.ok("credential", "remove", made["id"], "--yes")
    left = (await openai.ok("credential", "list", "--json")).json["credentials"]
    assert [one["state"] for one in left if one["state"] == "active"] == []


async def test_a_key_of_ours_is_no_providers(openai: Terminal) -> None:
    ours = (await openai.ok("key", "create", "prod-mail-01", "--owner", "asha")).out.strip()
    done = await openai.type("credential", "add", "openai", "--from", "-", stdin=ours)
    assert (done.code, "[invalid_value]" in done.err) == (2, True)
    assert ours not in done.err


async def test_an_unknown_provider_exits_with_3(openai: Terminal) -> None:
    assert (await openai.type("credential", "add", "opnai", "--from", "-", stdin=SECRET)).code == 3
