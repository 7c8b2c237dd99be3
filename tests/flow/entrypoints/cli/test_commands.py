"""What all commands have in common, and the figures: money, usage, requests, settings, doctor."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.flow.entrypoints.cli.rig import Terminal

from clavero.control.commit import perform
from clavero.control.signin import create_token
from clavero.domain.access import SYSTEM, Role
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.entrypoints.cli.app import NOUNS
from clavero.entrypoints.premises import write_private

LISTS = [[noun, "list"] for noun, (_, verbs) in NOUNS.items() if "list" in verbs.split()] + [
    ["usage"],
    ["settings"],
    ["explain"],
    ["doctor"],
]
SERVED = Exchange(
    request_id="req_served", at_ns=0, service="mail", team="default", project="default", environment="prod", feature="reply",
    endpoint="chat", model_asked="gpt-4o-mini", model_served="gpt-4o-mini", provider="openai", tokens=Tokens(input=50, output=5),
    cost_n=118_000, held_n=1_240_000, status=200, total_us=640_000, first_token_us=182_000, overhead_us=300, streamed=True,
    attempts=(Attempt("openai", "gpt-4o-mini", 200, 640_000, 200, 182_000),),
)  # fmt: skip
REFUSED = Exchange(
    request_id="req_refused", at_ns=0, service="mail", endpoint="chat", model_asked="gpt\x1b[2Jx", status=403, code="model_not_allowed",
    outcome="refused", total_us=400,
)  # fmt: skip


async def used(terminal: Terminal) -> None:
    """Two exchanges of today."""
    kid = (await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha", "--json")).json["key"]["kid"]
    now_ns = terminal.office.desk.clock.wall_ns()
    terminal.office.post(*(replace(one, at_ns=now_ns, key_id=kid, key_version=1) for one in (SERVED, REFUSED)))


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
async def test_every_list_answers_people_and_programs(words: list[str], terminal: Terminal) -> None:
    for more in ([], ["--json"]):
        done = await terminal.type(*words, *more)
        assert done.code == 0 or words == ["doctor"], done.err
        assert "error:" not in done.err
    assert isinstance(done.json, dict)
    assert done.err == ""


async def test_the_sums_of_usage_stand_beside_the_ledger(terminal: Terminal) -> None:
    await used(terminal)
    done = await terminal.ok("usage", "--by", "service,model", "--since", "7d")
    lines = done.out.splitlines()
    assert "whole UTC days" in done.err
    assert lines[1].split() == ["mail", "gpt-4o-mini", "1", "0", "55", "$0.0001"]
    assert lines[-1].split() == ["TOTAL", "2", "1", "55", "$0.0001", "=", "ledger"]
    by_key = (await terminal.ok("usage", "--by", "key")).out
    assert "prod-mail-01" in by_key
    told = (await terminal.ok("usage", "--by", "feature", "--json")).json
    assert told["equal"] is True
    assert {row["feature"] for row in told["rows"]} == {"reply", ""}


@pytest.mark.parametrize("words", [["--by", "weather"], ["--since", "soon"], ["--since", "1d", "--until", "9d"]])
async def test_usage_that_cannot_be_asked_for_is_a_usage_error(words: list[str], terminal: Terminal) -> None:
    done = await terminal.type("usage", *words)
    assert done.code == 2
    assert "fix:" in done.err


async def test_requests_are_listed_newest_first_and_a_callers_text_moves_no_cursor(terminal: Terminal) -> None:
    await used(terminal)
    done = await terminal.ok("request", "list")
    assert {line.split()[0] for line in done.out.splitlines()[1:]} == {"req_served", "req_refused"}
    assert "\x1b" not in done.out
    only = (await terminal.ok("request", "list", "--status", "403", "--json")).json["requests"]
    assert [one["request_id"] for one in only] == ["req_refused"]
    page = await terminal.ok("request", "list", "--limit", "1")
    assert "clavero request list --before " in page.err


async def test_a_trace_shows_holds_calls_and_cost(terminal: Terminal) -> None:
    await used(terminal)
    done = await terminal.ok("trace", "req_served")
    for text in (
        "prod-mail-01 v1",
        "chat stream",
        "first token 182 ms",
        "$0.000118, 55 tokens",
        "reserve",
        "$0.001240",
        "$0.001122 returned",
    ):
        assert text in done.out, text
    refused = await terminal.ok("trace", "req_refused")
    assert "[model_not_allowed]" in refused.out
    assert "\x1b" not in refused.out
    assert (await terminal.type("trace", "req_nowhere")).code == 3


async def test_a_budget_is_set_listed_changed_and_closed(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support")
    done = await terminal.ok("budget", "set", "team/support", "--limit", "$10/day", "--policy", "clamp")
    assert "team/support: $10/day, clamp" in done.err
    await terminal.ok("budget", "set", "team/support", "--limit", "$20/day")
    lines = (await terminal.ok("budget", "list")).out.splitlines()
    assert lines[1].split()[:4] == ["team/support", "$0.00", "$0.00", "$20/day"]
    assert (await terminal.type("budget", "delete", "team/support:day")).code == 2
    await terminal.ok("budget", "delete", "team/support:day", "--yes")
    assert (await terminal.ok("budget", "list", "--json")).json["budgets"] == []


async def test_a_keys_budget_is_closed_by_the_name_of_the_key(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha", "--limit", "$10/day")
    assert "key/prod-mail-01" in (await terminal.ok("budget", "list")).out
    await terminal.ok("budget", "delete", "key/prod-mail-01:day", "--yes")
    assert (await terminal.ok("budget", "list", "--json")).json["budgets"] == []


async def test_a_budget_of_nobody_is_refused(terminal: Terminal) -> None:
    assert (await terminal.type("budget", "set", "team/nobody", "--limit", "$1/day")).code == 3
    assert (await terminal.type("budget", "set", "nobody", "--limit", "$1/day")).code == 2
    assert (await terminal.type("budget", "delete", "team/nobody:day", "--yes")).code == 3


async def test_an_own_price_is_set_listed_and_taken_away(terminal: Terminal) -> None:
    await terminal.ok("price", "set", "openai/house-1", "--input", "0.15", "--output", "0.60", "--context", "128000")
    lines = (await terminal.ok("price", "list", "house")).out.splitlines()
    assert lines[1].split()[:4] == ["openai/house-1", "$0.1500", "$0.6000", "-"]
    await terminal.ok("price", "remove", "openai/house-1")
    assert (await terminal.ok("price", "list", "house", "--json")).json["prices"] == []


async def test_settings_show_their_source_and_no_password(terminal: Terminal) -> None:
    done = await terminal.ok("settings")
    assert "DATABASE_URL" in done.out
    assert "hunter22" not in done.out
    assert "clavero:***@db" in done.out


# --- when it does not go well


async def test_where_nothing_runs_one_line_and_its_remedy_say_so(terminal: Terminal) -> None:
    (terminal.data / "run" / "ready.json").unlink()
    done = await terminal.type("key", "list")
    assert done.code == 1
    assert done.err == f"error: clavero does not run on {terminal.data}  [not_running]\n  fix: clavero up\n"
    assert done.out == ""


async def test_a_clavero_that_was_killed_is_not_running_either(terminal: Terminal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = await terminal.type("key", "list", "--url", url)
    assert done.code == 1
    assert f"nothing answers at {url}  [not_running]" in done.err


async def test_a_token_that_is_not_known_exits_with_4(terminal: Terminal) -> None:
    token = await perform(terminal.office.desk, SYSTEM, create_token)
    text = token.reveal()
    other = text[:20] + ("0" if text[20] != "0" else "1") + text[21:]
    (terminal.data / "admin.token").write_text(other)
    done = await terminal.type("key", "list")
    assert done.code == 4
    assert other not in done.err
    (terminal.data / "admin.token").unlink()
    assert (await terminal.type("key", "list")).code == 4


async def test_a_role_that_may_not_exits_with_5(terminal: Terminal) -> None:
    token = await perform(terminal.office.desk, SYSTEM, create_token, role=Role.AUDITOR)
    write_private(terminal.data / "admin.token", token.reveal().encode())
    await terminal.ok("key", "list")
    done = await terminal.type("key", "create", "prod-mail-01", "--owner", "asha")
    assert (done.code, "[forbidden]" in done.err) == (5, True)


async def test_spanish_is_spoken_to_a_spanish_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    made = await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")
    assert "Creada" in made.err
    assert (await terminal.ok("key", "list")).out.startswith("NOMBRE")
    missing = await terminal.type("key", "show", "nadie-01")
    assert missing.code == 3
    assert "remedio:" in missing.err


async def test_quiet_is_data_and_errors_alone(terminal: Terminal) -> None:
    done = await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha", "--quiet")
    assert done.err == ""
    assert done.out.count("\n") == 1
    assert "error:" in (await terminal.type("key", "show", "nobody-01", "--quiet")).err


async def test_a_narrow_terminal_gets_whole_names(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    await terminal.ok("key", "create", "prod-support-summary-01", "--owner", "asha")
    monkeypatch.setenv("COLUMNS", "40")
    lines = (await terminal.ok("key", "list")).out.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert lines[1].startswith("prod-support-summary-01  active")


async def test_what_is_no_clavero_is_said_so(terminal: Terminal) -> None:
    done = await terminal.type("key", "list", "--url", terminal.url.replace("127.0.0.1", "localhost"))
    assert done.code == 0, "the other name of this machine is as good"
    for wrong in (f"{terminal.url}/api", "ftp://127.0.0.1", "http://example.com"):
        assert (await terminal.type("key", "list", "--url", wrong)).code == 2


async def test_an_answer_of_something_else_is_not_taken(terminal: Terminal) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["hello"]'[:-1] + b"]")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        done = await terminal.type("key", "list", "--url", f"http://127.0.0.1:{port}")
    assert done.code == 1
    assert "[not_clavero]" in done.err


async def test_what_nobody_foresaw_is_one_line_without_a_traceback(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("hunter22")

    monkeypatch.setattr("clavero.entrypoints.cli.team.shown", broken)
    await terminal.ok("team", "add", "support")
    done = await terminal.type("team", "list")
    assert done.code == 1
    assert "[internal_error]" in done.err
    assert "Traceback" not in done.err
    assert "hunter22" not in done.err


@pytest.mark.parametrize("words", [["explain"], ["--help"], ["settings"]], ids=" ".join)
def test_whoever_reads_us_may_go(words: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "clavero", *words], stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


# --- doctor


async def test_doctor_names_what_fails_and_what_mends_it(terminal: Terminal) -> None:
    await terminal.ok("provider", "add", "openai", "--kind", "openai", "--base-url", "https://api.openai.com")
    done = await terminal.type("doctor")
    assert done.code == 1
    assert "✗ workers" in done.out
    assert "✗ provider" in done.out
    assert "clavero credential add openai --from env:NAME" in done.out
    assert done.out.splitlines()[-1].endswith("failed")


async def test_doctor_looks_at_the_disk_where_nothing_runs(terminal: Terminal) -> None:
    (terminal.data / "run" / "ready.json").unlink()
    for path in (terminal.data, *terminal.data.glob("clavero.db*")):
        path.chmod(0o700)
    done = await terminal.type("doctor")
    assert "only what is on disk was looked at" in done.out
    assert "disk" in done.out
    assert done.code in {0, 1}


async def test_doctor_tells_a_file_that_others_can_reach(terminal: Terminal) -> None:
    (terminal.data / "admin.token").chmod(0o644)
    done = await terminal.type("doctor", "--json")
    assert f"chmod go= {terminal.data / 'admin.token'}" in [one["fix"] for one in done.json["checks"]]


async def test_smoke_without_a_key_says_what_it_needs(terminal: Terminal, tmp_path: Path) -> None:
    done = await terminal.type("smoke")
    assert (done.code, "[no_key]" in done.err) == (2, True)
    (tmp_path / "x.key").write_text("hunter22")
    wrong = await terminal.type("smoke", "--key-file", str(tmp_path / "x.key"))
    assert (wrong.code, "hunter22" in wrong.err) == (2, False)
