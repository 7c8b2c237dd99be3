from tests.flow.entrypoints.cli.rig import Terminal


async def test_a_link_carries_its_token_in_the_fragment_alone(terminal: Terminal) -> None:
    done = await terminal.ok("open")
    address, _, token = done.out.strip().partition("#")
    assert address == "http://127.0.0.1:4142/sign-in"
    assert token.startswith("clvb_")
    assert token not in done.err


async def test_every_link_is_another(terminal: Terminal) -> None:
    links = {(await terminal.ok("open", "--json")).json["link"] for _ in range(2)}
    assert len(links) == 2


async def test_without_a_terminal_no_browser_is_opened(terminal: Terminal) -> None:
    assert "clvb_" in (await terminal.ok("open", "--browser")).out
