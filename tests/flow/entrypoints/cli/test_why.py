from tests.flow.entrypoints.cli.rig import Terminal

SECRET = "sk-" + "d4" * 20


async def test_the_stage_that_would_refuse_is_named_with_the_command_that_mends_it(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha", "--models", "gpt-4o-mini")
    done = await terminal.type("why", "prod-mail-01", "gpt-x")
    assert done.code == 5
    assert "✓ key" in done.out
    assert "✗ model" in done.out
    assert "[model_not_allowed]" in done.out
    assert "fix: clavero key update prod-mail-01 --add-model gpt-x" in done.out


async def test_a_call_that_would_pass_exits_with_0(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha", "--limit", "$10/day")
    await terminal.ok(
        "provider", "add", "openai", "--kind", "openai", "--base-url", "https://api.openai.com", "--models", "gpt-*"
    )
    await terminal.ok("credential", "add", "openai", "--from", "-", stdin=SECRET)
    await terminal.ok("price", "set", "openai/gpt-4o-mini", "--input", "0.15", "--output", "0.60")
    done = await terminal.ok("why", "prod-mail-01", "gpt-4o-mini", "--max-tokens", "500")
    assert "✗" not in done.out
    assert "budget" in done.out
    told = await terminal.ok("why", "prod-mail-01", "gpt-4o-mini", "--json")
    assert all(step["ok"] for step in told.json["steps"])


async def test_an_unknown_key_or_endpoint_is_refused(terminal: Terminal) -> None:
    assert (await terminal.type("why", "nobody", "gpt-x")).code == 3
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")
    assert (await terminal.type("why", "prod-mail-01", "gpt-x", "--endpoint", "telepathy")).code == 2
