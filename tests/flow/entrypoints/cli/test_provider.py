from tests.flow.entrypoints.cli.rig import Terminal

ADD = ["provider", "add", "openai", "--kind", "openai", "--base-url", "https://api.openai.com", "--models", "gpt-*"]
SECRET = "sk-" + "b2" * 20


async def test_a_provider_is_added_shown_switched_and_removed(terminal: Terminal) -> None:
    added = await terminal.ok(*ADD)
    assert "clavero credential add openai" in added.err
    assert (await terminal.ok("provider", "show", "openai")).out.startswith("State   enabled")
    assert (await terminal.ok("provider", "disable", "openai", "--json")).json["enabled"] is False
    assert (await terminal.ok("provider", "enable", "openai", "--json")).json["enabled"] is True
    lines = (await terminal.ok("provider", "list")).out.splitlines()
    assert lines[1].split() == ["openai", "enabled", "openai", "0", "gpt-*", "https://api.openai.com"]
    refused = await terminal.type("provider", "remove", "openai")
    assert refused.code == 2
    await terminal.ok("provider", "remove", "openai", "--yes")
    assert (await terminal.type("provider", "show", "openai")).code == 3


async def test_another_address_says_which_credentials_it_retires(terminal: Terminal) -> None:
    await terminal.ok(*ADD)
    await terminal.ok("credential", "add", "openai", "--from", "-", stdin=SECRET)
    moved = await terminal.ok("provider", "update", "openai", "--base-url", "https://api.openai.org")
    assert "1 credentials were sealed for the former address" in moved.err
    assert SECRET not in moved.err


async def test_what_a_provider_may_not_be_is_refused(terminal: Terminal) -> None:
    done = await terminal.type("provider", "add", "x", "--kind", "openai", "--base-url", "http://169.254.169.254")
    assert done.code == 2
    assert (await terminal.ok("provider", "list", "--json")).json["providers"] == []


async def test_a_change_of_nothing_is_refused(terminal: Terminal) -> None:
    await terminal.ok(*ADD)
    assert (await terminal.type("provider", "update", "openai")).code == 2
