import sqlite3
from contextlib import closing

from tests.flow.entrypoints.cli.rig import Terminal


async def test_each_change_stands_there_with_who_and_why(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-mail-01", "--owner", "asha")
    await terminal.ok("key", "disable", "prod-mail-01", "--reason", "under review")
    lines = (await terminal.ok("audit", "list", "--limit", "1")).out.splitlines()
    assert lines[0].split() == ["TIME", "ACTOR", "ACTION", "OBJECT", "REASON", "FROM"]
    assert "key.disable" in lines[1]
    assert "under review" in lines[1]
    assert (await terminal.ok("audit", "list", "--json")).json["rows"][0]["action"] == "key.disable"


async def test_a_trail_that_was_changed_fails_and_names_the_row(terminal: Terminal) -> None:
    await terminal.ok("team", "add", "support")
    assert "each as it was written" in (await terminal.ok("audit", "verify")).out
    with closing(sqlite3.connect(terminal.data / "clavero.db")) as database:
        database.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
        database.commit()
    done = await terminal.type("audit", "verify")
    assert done.code == 1
    assert "row 2 is not as it was written  [audit_broken]" in done.err
    assert (await terminal.type("audit", "verify", "--json")).code == 1
