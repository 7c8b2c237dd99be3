from tests.flow.entrypoints.cli.rig import Terminal


async def test_one_is_added_and_listed(terminal: Terminal) -> None:
    assert (await terminal.ok("environment", "add", "staging")).err == "Added staging.\n"
    lines = (await terminal.ok("environment", "list")).out.splitlines()
    assert lines[0].split() == ["NAME", "CREATED"]
    assert any(line.startswith("staging ") for line in lines)
    listed = (await terminal.ok("environment", "list", "--json")).json["environments"]
    assert "staging" in [one["name"] for one in listed]


async def test_a_name_that_is_taken_or_breaks_the_rule_is_refused(terminal: Terminal) -> None:
    await terminal.ok("environment", "add", "staging", "--json")
    assert (await terminal.type("environment", "add", "staging")).code == 5
    assert (await terminal.type("environment", "add", "Not A Name")).code == 2
