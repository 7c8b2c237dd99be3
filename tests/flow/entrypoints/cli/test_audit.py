import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.flow.entrypoints.cli.rig import Terminal


async def test_each_change_stands_there_with_who_and_why(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")
    await terminal.ok("key", "disable", "prod-mail-01", "--reason", "under review")
    lines = (await terminal.ok("audit", "list", "--limit", "1")).out.splitlines()
    assert lines[0].split() == ["TIME", "ACTOR", "ACTION", "OBJECT", "REASON", "FROM"]
    assert "key.disable" in lines[1]
    assert "under review" in lines[1]
    rows = (await terminal.ok("audit", "list", "--json")).json["rows"]
    assert [row["action"] for row in rows[:2]] == ["audit.read", "key.disable"]


async def test_a_trail_that_was_changed_fails_and_names_the_row(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support")
    assert "each as it was written; 0 of them signed" in (await terminal.ok("audit", "verify")).out
    with closing(sqlite3.connect(terminal.data / "clavero.db")) as database:
        database.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
        database.commit()
    done = await terminal.type("audit", "verify")
    assert done.code == 1
    assert "row 2 is not as it was written: the chain breaks there  [audit_broken]" in done.err
    assert (await terminal.type("audit", "verify", "--json")).code == 1


async def test_an_export_proves_itself_without_clavero(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.ok("team", "add", "support")
    file = tmp_path / "trail.jsonl"
    told = (await terminal.ok("audit", "export", str(file), "--json")).json
    assert told["rows"] >= 2
    alone = [str(file), "--data-dir", str(tmp_path / "nowhere")]
    assert "each as it was written" in (await terminal.ok("audit", "verify", *alone)).out
    assert "[cannot_write]" in (await terminal.type("audit", "export", str(file))).err  # nothing is written over
    text = await asyncio.to_thread(file.read_text)
    await asyncio.to_thread(file.write_text, text.replace("support", "sapport"))
    done = await terminal.type("audit", "verify", str(file))
    assert done.code == 1
    assert "[audit_broken]" in done.err


async def test_a_row_that_is_not_signed_yet_cannot_be_proved(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.ok("team", "add", "support")
    assert "[not_signed_yet]" in (await terminal.type("audit", "prove", "2", str(tmp_path / "row.jsonl"))).err
    assert (await terminal.type("audit", "prove", "9999", str(tmp_path / "row.jsonl"))).code == 3
    assert (await terminal.type("audit", "prove", "0", str(tmp_path / "row.jsonl"))).code == 3


async def test_reading_the_trail_stands_in_the_trail(terminal: Terminal) -> None:
    for _ in range(3):
        await terminal.ok("audit", "list")
    rows = (await terminal.ok("audit", "list", "--json")).json["rows"]
    assert [(row["action"], row["object_id"]) for row in rows].count(("audit.read", "list")) == 1
