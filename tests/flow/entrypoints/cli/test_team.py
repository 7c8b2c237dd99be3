from tests.flow.entrypoints.cli.rig import Terminal


async def test_one_is_added_and_listed(terminal: Terminal) -> None:
    assert (await terminal.ok("team", "add", "support")).err == "Added support.\n"
    lines = (await terminal.ok("team", "list")).out.splitlines()
    assert lines[0].split() == ["NAME", "CREATED"]
    assert any(line.startswith("support ") for line in lines)
    listed = (await terminal.ok("team", "list", "--json")).json["teams"]
    assert "support" in [one["name"] for one in listed]


async def test_a_name_that_is_taken_or_breaks_the_rule_is_refused(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support", "--json")
    assert (await terminal.type("team", "add", "support")).code == 5
    assert (await terminal.type("team", "add", "Not A Name")).code == 2
