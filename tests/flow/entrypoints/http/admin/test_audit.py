import aiosqlite
import pytest
from tests.flow.entrypoints.http.admin.office import Office


async def test_the_newest_rows_come_first_and_the_chain_holds(office: Office) -> None:
    for name in ("a", "b", "c"):
        await office.ask("POST", "/teams", 201, json={"name": name, "reason": f"for {name}"})
    rows = (await office.ask("GET", "/audit?limit=2"))["rows"]
    assert [(row["action"], row["object_id"], row["reason"]) for row in rows] == [
        ("team.add", "c", "for c"), ("team.add", "b", "for b"),
    ]  # fmt: skip
    assert rows[0]["previous"] == rows[1]["hash"]
    proof = await office.ask("GET", "/audit/verify")
    assert (proof["rows"], proof["first_bad"]) == (rows[0]["seq"] + 1, None)  # and who read it


async def test_a_row_that_was_altered_is_named(office: Office) -> None:
    for name in ("a", "b", "c"):
        await office.ask("POST", "/teams", 201, json={"name": name})
    async with aiosqlite.connect(office.folder / "clavero.db") as database:
        await database.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 4")
        await database.commit()
    assert (await office.ask("GET", "/audit/verify"))["first_bad"] == 4


async def test_pages_for_an_export_hold_what_was_hashed(office: Office) -> None:
    for name in ("a", "b", "c"):
        await office.ask("POST", "/teams", 201, json={"name": name})
    page = await office.ask("GET", "/audit/rows?after=1&limit=2")
    assert ([row["seq"] for row in page["rows"]], page["next"]) == ([2, 3], 3)
    assert page["rows"][0]["at_ns"].isdecimal()
    assert (await office.ask("GET", "/audit/rows?after=99"))["next"] is None
    assert await office.ask("GET", "/audit/checkpoints") == {"signers": [], "checkpoints": []}
    assert (await office.refused("GET", "/audit/rows?after=-1", 422))["field"] == "limit"


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-5"])
async def test_a_limit_is_within_reason(office: Office, limit: str) -> None:
    assert (await office.refused("GET", f"/audit?limit={limit}", 422))["field"] == "limit"
