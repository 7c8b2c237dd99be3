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
