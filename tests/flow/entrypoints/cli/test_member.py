"""Members as a person types them."""

import pytest
from tests.flow.entrypoints.cli.rig import Terminal


async def test_one_is_added_listed_shown_changed_and_removed(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support")
    added = await terminal.ok("member", "add", "asha", "--email", "asha@example.com", "--team", "support")
    assert added.err == "Added asha.\n"
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")
    lines = (await terminal.ok("member", "list")).out.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "KIND", "KEYS", "TEAMS", "EMAIL"]
    assert lines[1].split() == ["asha", "active", "person", "1", "support", "asha@example.com"]
    assert "active · person" in (await terminal.ok("member", "show", "asha")).out
    changed = await terminal.ok("member", "update", "asha", "--kind", "machine", "--json")
    assert (changed.json["kind"], changed.json["email"]) == ("machine", "asha@example.com")
    assert (await terminal.type("member", "update", "asha")).code == 2
    assert (await terminal.type("member", "remove", "asha")).code == 5
    await terminal.ok("key", "revoke", "prod-mail-01", "--yes")
    assert (await terminal.ok("member", "remove", "asha")).err == "Removed asha.\n"
    assert (await terminal.type("member", "show", "asha")).code == 3


@pytest.mark.requirement(74)
async def test_a_mistyped_owner_makes_no_key_that_nobody_answers_for(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")
    done = await terminal.type("key", "create", "prod-mail-02", "--owner", "ahsa rao")
    assert done.code == 3
    assert "[owner_unknown]" in done.err
    assert "fix: clavero member add 'ahsa rao'" in done.err
    await terminal.ok("member", "add", "ahsa rao")
    await terminal.ok("key", "create", "prod-mail-02", "--owner", "ahsa rao")


@pytest.mark.requirement(5)
@pytest.mark.requirement(74)
async def test_who_leaves_hands_the_keys_over(terminal: Terminal) -> None:
    for number in (1, 2, 3):
        await terminal.ok("key", "create", f"prod-mail-0{number}", "--owner", "asha")
    await terminal.ok("member", "add", "bo")
    left = await terminal.ok("member", "leave", "asha")
    assert left.err.startswith("asha has left. 3 keys work on, and are to have another owner by ")
    assert left.err.endswith("  clavero member transfer asha --to MEMBER\n")
    assert "transfer due by" in (await terminal.ok("key", "show", "prod-mail-01")).out
    assert "transfer due by" in (await terminal.ok("member", "show", "asha")).out
    assert "asha (left)" in (await terminal.ok("key", "list")).out
    found = await terminal.ok("whois", "prod-mail-01")
    assert "asha (left)" in found.out
    assert "its owner asha has left; transfer due by" in found.err
    refused = await terminal.type("key", "create", "prod-mail-04", "--owner", "asha")
    assert (refused.code, "[owner_left]" in refused.err) == (5, True)
    assert (await terminal.ok("key", "transfer", "prod-mail-01", "--to", "bo", "--json")).json["owner"] == "bo"
    assert (await terminal.ok("member", "transfer", "asha", "--to", "bo")).err == "Now owned by bo: 2.\n"
    assert (await terminal.ok("key", "list", "--under-transfer", "--json")).json["keys"] == []
    assert (await terminal.ok("member", "leave", "bo", "--json")).json["keys"] == 3
    await terminal.ok("member", "rejoin", "bo")
    assert (await terminal.ok("member", "rejoin", "asha", "--json")).json["state"] == "active"
    assert (await terminal.ok("member", "leave", "asha")).err == "asha has left and owns no key.\n"
