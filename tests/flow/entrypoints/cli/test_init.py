"""A service with two keys in each environment, in one command."""

import stat
from pathlib import Path

import pytest
from tests.flow.entrypoints.cli.rig import Terminal

from clavero.entrypoints.cli.sources import is_virtual_key

INIT = ["init", "retail-support", "--owner", "asha", "--env", "dev,prod"]
NAMES = [f"{env}-retail-support-{purpose}-01" for env in ("dev", "prod") for purpose in ("chat", "jobs")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def contents(folder: Path) -> dict[str, str]:
    """The texts of the folder by name; nobody else can read one of the keys."""
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("*.env")} == {0o600}
    return {file.name: file.read_text() for file in folder.iterdir()}


@pytest.mark.requirement(10)
async def test_each_environment_gets_a_key_for_people_and_one_for_work_in_the_background(
    terminal: Terminal, folder: Path
) -> None:
    done = await terminal.ok(*INIT, "--out", str(folder), "--team", "retail")
    assert "clvk_" not in done.out + done.err
    keys = (await terminal.ok("key", "list", "--json")).json["keys"]
    assert sorted(key["name"] for key in keys) == sorted(NAMES)
    assert {(key["service"], key["owner"], key["team"]) for key in keys} == {("retail-support", "asha", "retail")}
    assert {key["purpose"] for key in keys} == {"chat", "jobs"}


async def test_each_key_is_in_a_file_of_its_own_that_git_does_not_take(terminal: Terminal, folder: Path) -> None:
    await terminal.ok(*INIT, "--out", str(folder))
    kept = contents(folder)
    assert sorted(kept) == [".gitignore", "dev-chat.env", "dev-jobs.env", "prod-chat.env", "prod-jobs.env"]
    assert kept.pop(".gitignore") == "*\n"
    lines = [dict(line.split("=", 1) for line in text.splitlines()) for text in kept.values()]
    assert all(is_virtual_key(line["OPENAI_API_KEY"]) for line in lines)
    assert len({line["OPENAI_API_KEY"] for line in lines}) == 4


async def test_told_twice_it_makes_what_is_missing_and_leaves_the_rest(terminal: Terminal, folder: Path) -> None:
    await terminal.ok(*INIT, "--out", str(folder))
    before = contents(folder)
    again = await terminal.ok(*INIT[:-1], "dev,staging,prod", "--out", str(folder))
    assert again.out.count("kept") == 4
    assert again.out.count("made") == 2
    after = contents(folder)
    assert set(after) - set(before) == {"staging-chat.env", "staging-jobs.env"}
    assert {name: after[name] for name in before} == before


async def test_limits_are_for_all_or_by_environment(terminal: Terminal, folder: Path) -> None:
    await terminal.ok(*INIT, "--out", str(folder), "--limit", "prod=$50/day,dev=$1/day")
    keys = (await terminal.ok("key", "list", "--json")).json["keys"]
    limits = {key["name"]: [one["limit"] for one in key["budgets"]] for key in keys}
    assert limits == {name: ["$50/day" if name.startswith("prod") else "$1/day"] for name in NAMES}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--limit", "qa=$1/day"], "no key is made for qa"),
        (["--limit", "lots"], "--limit"),
        (["--out", "/nowhere/keys"], "cannot write"),
    ],
)
async def test_what_cannot_be_is_refused_before_any_key_is_made(
    terminal: Terminal, words: list[str], told: str
) -> None:
    done = await terminal.type(*INIT, *words)
    assert done.code != 0
    assert told in done.err
    assert (await terminal.ok("key", "list", "--json")).json["keys"] == []


async def test_a_service_that_breaks_the_rule_is_refused_with_the_rule(terminal: Terminal, folder: Path) -> None:
    done = await terminal.type("init", "My Service", "--owner", "asha", "--out", str(folder))
    assert done.code == 2
    assert "[invalid_value]" in done.err
