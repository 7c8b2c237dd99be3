from pathlib import Path

from tests.flow.entrypoints.cli.rig import Terminal


async def test_a_whole_key_is_named_from_a_file_and_from_stdin(terminal: Terminal, tmp_path: Path) -> None:
    secret = (await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")).out.strip()
    file = tmp_path / "found.txt"
    file.write_text(f"Authorization: Bearer {secret}\n")
    for source in (f"file:{file}", "-"):
        done = await terminal.ok("whois", "--from", source, stdin=secret)
        assert "prod-mail-01" in done.out
        assert "asha" in done.out
        assert "the whole key" in done.out
        assert secret not in done.out + done.err


async def test_a_piece_will_do(terminal: Terminal) -> None:
    made = await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha", "--json")
    kid = made.json["key"]["kid"]
    assert "prod-mail-01" in (await terminal.ok("whois", kid)).out
    assert (await terminal.ok("whois", kid[:6], "--json")).json["keys"][0]["by"] == "id"


async def test_nothing_that_fits_is_exit_3(terminal: Terminal) -> None:
    assert (await terminal.type("whois", "nobody-knows")).code == 3


async def test_a_whole_key_on_the_command_line_is_refused(terminal: Terminal) -> None:
    secret = (await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")).out.strip()
    done = await terminal.type("whois", secret)
    assert done.code == 2
    assert "[inline_secret]" in done.err
    assert secret not in done.err


async def test_one_source_is_asked_for(terminal: Terminal) -> None:
    assert (await terminal.type("whois")).code == 2
    assert (await terminal.type("whois", "abcd", "--from", "-")).code == 2
