"""Keys through their whole life, as a person types it."""

import stat

import pytest
from tests.flow.entrypoints.cli.rig import Terminal

from clavero.entrypoints.cli.sources import is_virtual_key

CREATE = ["key", "create", "prod-mail-01", "--owner", "asha"]


@pytest.mark.requirement(12)
async def test_a_new_key_is_shown_once_and_never_again(terminal: Terminal) -> None:
    made = await terminal.ok(*CREATE, "--models", "gpt-4o-mini", "--limit", "$10/day")
    secret = made.out.strip()
    assert is_virtual_key(secret)
    assert "Created" in made.err
    assert secret not in made.err
    shown = await terminal.ok("key", "show", "prod-mail-01")
    assert "gpt-4o-mini" in shown.out
    assert "$10/day" in shown.out
    assert f"…{secret[-4:]}" in shown.out
    for words in (["key", "show", "prod-mail-01", "--json"], ["key", "list", "--json"], ["audit", "list", "--json"]):
        assert secret not in (await terminal.ok(*words)).out


async def test_with_an_env_file_the_key_is_shown_nowhere(terminal: Terminal) -> None:
    file = terminal.data.parent / ".env"
    for more in ([], ["--json"]):
        made = await terminal.ok(
            "key", "create", f"prod-mail-0{len(more) + 1}", "--owner", "asha", "--env-file", str(file), *more
        )
        assert "clvk_" not in made.out + made.err
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        lines = dict(line.split("=", 1) for line in file.read_text().splitlines())
        assert is_virtual_key(lines["OPENAI_API_KEY"])
        assert lines["OPENAI_BASE_URL"] == "http://127.0.0.1:4141/v1"


async def test_where_the_env_file_cannot_be_no_key_is_made(terminal: Terminal) -> None:
    done = await terminal.type(*CREATE, "--env-file", str(terminal.data / "nowhere" / ".env"))
    assert done.code == 1
    assert "[cannot_write]" in done.err
    assert (await terminal.ok("key", "list", "--json")).json["keys"] == []


@pytest.mark.requirement(12)
async def test_a_name_that_breaks_the_rule_is_refused_with_one_that_keeps_it(terminal: Terminal) -> None:
    done = await terminal.type("key", "create", "MyKey", "--owner", "asha")
    assert done.code == 2
    assert "[invalid_value]" in done.err
    assert "fix: Use dev-my-key-01" in done.err


async def test_rotating_overlaps_and_says_until_when(terminal: Terminal) -> None:
    first = (await terminal.ok(*CREATE)).out.strip()
    done = await terminal.ok("key", "rotate", "prod-mail-01", "--grace", "24h")
    assert is_virtual_key(done.out.strip())
    assert done.out.strip() != first
    assert done.err.startswith("Version 2, shown only now; 1 works until ")
    ended = await terminal.ok("key", "rotate", "prod-mail-01", "--grace", "0", "--json")
    assert [one["works"] for one in ended.json["key"]["versions"]] == [True, False, False]


async def test_a_key_is_paused_ended_and_put_away(terminal: Terminal) -> None:
    await terminal.ok(*CREATE)
    for verb, state in (("disable", "disabled"), ("enable", "active")):
        assert (await terminal.ok("key", verb, "prod-mail-01", "--reason", "review", "--json")).json["state"] == state
    assert (await terminal.ok("key", "revoke", "prod-mail-01", "--yes", "--reason", "leak", "--json")).json[
        "state"
    ] == "revoked"
    again = await terminal.type("key", "enable", "prod-mail-01")
    assert again.code == 5
    assert "[state_forbids]" in again.err
    assert (await terminal.ok("key", "retire", "prod-mail-01", "--json")).json["state"] == "retired"


async def test_revoking_asks_and_without_a_terminal_changes_nothing(terminal: Terminal) -> None:
    await terminal.ok(*CREATE)
    done = await terminal.type("key", "revoke", "prod-mail-01", stdin="prod-mail-01\n")
    assert done.code == 2
    assert "--yes" in done.err
    assert (await terminal.ok("key", "show", "prod-mail-01", "--json")).json["state"] == "active"


async def test_a_change_of_scope_adds_and_removes(terminal: Terminal) -> None:
    await terminal.ok(*CREATE, "--models", "gpt-4o-mini,gpt-4o")
    await terminal.ok("member", "add", "bo")
    key = (
        await terminal.ok(
            "key",
            "update",
            "prod-mail-01",
            "--add-model",
            "gpt-5",
            "--remove-model",
            "gpt-4o",
            "--add-feature",
            "reply",
            "--expires",
            "30d",
            "--owner",
            "bo",
            "--json",
        )
    ).json
    assert key["models"] == ["gpt-4o-mini", "gpt-5"]
    assert (key["features"], key["owner"]) == (["reply"], "bo")
    assert key["expires_at"]
    nothing = await terminal.type("key", "update", "prod-mail-01")
    assert (nothing.code, "[nothing_to_change]" in nothing.err) == (2, True)


async def test_the_list_shows_where_each_stands_and_can_be_narrowed(terminal: Terminal) -> None:
    await terminal.ok(*CREATE, "--limit", "$10/day", "--expires", "30d")
    await terminal.ok("member", "add", "bo")
    await terminal.ok("key", "create", "dev-bot-01", "--owner", "bo")
    lines = (await terminal.ok("key", "list")).out.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "SPENT", "LIMIT", "EXPIRES", "ID", "OWNER", "USED"]
    assert len(lines) == 3
    only = (await terminal.ok("key", "list", "--owner", "bo", "--json")).json["keys"]
    assert [key["name"] for key in only] == ["dev-bot-01"]


async def test_an_unknown_key_exits_with_3_and_names_the_nearest(terminal: Terminal) -> None:
    await terminal.ok(*CREATE)
    done = await terminal.type("key", "show", "prod-mial-01")
    assert done.code == 3
    assert "prod-mail-01" in done.err
