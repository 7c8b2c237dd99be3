from tests.flow.entrypoints.cli.rig import Terminal


async def test_a_name_is_declared_listed_and_removed(terminal: Terminal) -> None:
    await terminal.ok("provider", "add", "openai", "--kind", "openai", "--base-url", "https://api.openai.com")
    await terminal.ok("model", "set", "fast", "--provider", "openai", "--served", "gpt-4o-mini")
    await terminal.ok("model", "set", "meta/llama-3", "--provider", "openai", "--fallback", "fast")
    lines = (await terminal.ok("model", "list")).out.splitlines()
    assert lines[1].split() == ["fast", "openai", "gpt-4o-mini", "-"]
    assert lines[2].split() == ["meta/llama-3", "openai", "meta/llama-3", "fast"]
    used = await terminal.type("model", "remove", "fast")
    assert (used.code, "[in_use]" in used.err) == (5, True)
    await terminal.ok("model", "remove", "meta/llama-3")
    assert [one["name"] for one in (await terminal.ok("model", "list", "--json")).json["models"]] == ["fast"]


async def test_a_name_that_leads_nowhere_is_refused(terminal: Terminal) -> None:
    done = await terminal.type("model", "set", "fast", "--provider", "nobody")
    assert done.code in {2, 3}
    assert "fix:" in done.err
