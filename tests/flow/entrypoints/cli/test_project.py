from tests.flow.entrypoints.cli.rig import Terminal


async def test_one_is_added_to_a_team_and_listed(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support")
    await terminal.ok("project", "add", "copilot", "--team", "support")
    lines = (await terminal.ok("project", "list")).out.splitlines()
    assert any(line.split()[:2] == ["copilot", "support"] for line in lines)
    assert (await terminal.ok("project", "list", "--json")).json["projects"]


async def test_a_team_that_is_not_there_is_not_made_by_the_way(terminal: Terminal) -> None:
    assert (await terminal.type("project", "add", "copilot", "--team", "nobody")).code == 3
    assert (await terminal.type("project", "add", "copilot")).code == 2
