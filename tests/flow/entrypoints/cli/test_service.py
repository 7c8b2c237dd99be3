import pytest
from tests.flow.entrypoints.cli.rig import Terminal


async def test_one_is_added_to_a_project_and_listed_with_its_team(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support")
    await terminal.ok("project", "add", "copilot", "--team", "support")
    await terminal.ok("service", "add", "chat", "--project", "copilot", "--json")
    lines = (await terminal.ok("service", "list")).out.splitlines()
    assert any(line.split()[:3] == ["chat", "copilot", "support"] for line in lines)
    assert (await terminal.ok("service", "list", "--json")).json["services"]


async def test_a_project_that_is_not_there_is_not_made_by_the_way(terminal: Terminal) -> None:
    assert (await terminal.type("service", "add", "chat", "--project", "nobody")).code == 3


@pytest.mark.requirement(5)
async def test_a_found_key_leads_to_the_code_and_to_who_is_on_call(terminal: Terminal) -> None:
    secret = (await terminal.ok("key", "create", "prod-chat-01", "--owner", "asha")).out.strip()
    told = ["--repository", "github.com/acme/chat", "--on-call", "#chat-oncall"]
    assert (await terminal.ok("service", "update", "chat", *told)).err == "Updated chat.\n"
    assert "#chat-oncall" in (await terminal.ok("service", "list")).out
    found = (await terminal.ok("whois", "--from", "-", stdin=secret)).out
    assert "#chat-oncall" in found
    assert "github.com/acme/chat" in found
    shown = (await terminal.ok("key", "show", "prod-chat-01")).out
    assert "On call     #chat-oncall" in shown
    kept = await terminal.ok("service", "update", "chat", "--on-call", "+1 555 0100", "--json")
    assert (kept.json["repository"], kept.json["on_call"]) == ("github.com/acme/chat", "+1 555 0100")
    assert (await terminal.type("service", "update", "chat")).code == 2
    assert (await terminal.type("service", "update", "chta", "--on-call", "x")).code == 3
