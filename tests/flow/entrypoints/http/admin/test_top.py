import pytest
from tests.flow.entrypoints.http.admin.office import BOOT, Office

from clavero.domain.usage import Attempt, Exchange
from clavero.wire.journal import Pulse, Record

SECOND = 10**9


def one(office: Office, **known: object) -> Exchange:
    """An exchange that ended a second ago."""
    facts = {"status": 200, "overhead_us": 500, "team": "support", "service": "mail", **known}
    return Exchange("req_a", office.desk.clock.wall_ns() - SECOND, **facts)  # type: ignore[arg-type] # facts of a test


async def test_one_look_tells_who_works_who_fails_and_where_money_ends(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["key"]
    await office.ask("POST", "/teams", 201, json={"name": "support"})
    await office.ask("PUT", "/budgets", json={"subject": "team", "name": "support", "limit": "$10/day"})
    office.post(one(office, key_id=made["kid"], cost_n=3))
    exchange = one(
        office, key_id=made["kid"], owner="asha", cost_n=3, attempts=(Attempt("house", "m", 0, 9_000, 200, 5_000),)
    )
    failed = one(office, key_id=made["kid"], owner="asha", status=502, code="upstream_error")
    for heard in (office.meter.heard, office.recent.heard, office.tail.heard):
        heard(BOOT, [Record(exchange), Record(failed), Pulse(office.desk.clock.wall_ns(), 0, 4, 1, 900, 2)])
    top = await office.ask("GET", "/top?seconds=10")
    (worker,) = top["workers"]
    assert (worker["worker"], worker["state"], worker["in_flight"], worker["waiting"]) == ("w1", "live", 4, 1)
    assert worker["seq_lag"] > 0  # its pulse says that it has applied nothing yet
    assert worker["error_share"] == 0.5
    assert worker["ours_p99_us"] >= 500
    (provider,) = top["providers"]
    assert (provider["provider"], provider["error_share"]) == ("house", 0.0)
    (key,) = top["keys"]
    assert (key["name"], key["kid"], key["owner"]) == ("prod-mail-01", made["kid"], "asha")
    assert key["spent_today_nano_usd"] == 3
    assert key["tightest"]["name"] == "team/support"
    (service,) = top["services"]
    assert (service["name"], service["kid"]) == ("mail", "")
    assert top["control"]["version"] == "9.9.9"
    assert top["seconds"] == 1  # this process has just begun
    assert top["rate"] == 2.0


async def test_nothing_yet_is_no_mistake(office: Office) -> None:
    top = await office.ask("GET", "/top")
    assert (top["workers"], top["keys"], top["budgets"], top["rate"]) == ([], [], [], 0.0)
    assert top["error_share"] is None


async def test_the_journals_size_is_told(office: Office) -> None:
    folder = office.folder / "journal" / "boot"
    folder.mkdir(parents=True)
    (folder / "1.seg").write_bytes(b"x" * 100_000)
    assert (await office.ask("GET", "/top"))["control"]["journal_bytes"] >= 100_000


async def test_looking_often_asks_the_database_no_more_often(office: Office) -> None:
    await office.ask("GET", "/top")
    asked = dict(office.recent.answers)
    for _ in range(5):
        await office.ask("GET", "/top")
    assert office.recent.answers == asked


@pytest.mark.parametrize("query", ["seconds=0", "seconds=61", "limit=0", "limit=51", "seconds=x"])
async def test_more_than_is_kept_is_refused(office: Office, query: str) -> None:
    await office.refused("GET", f"/top?{query}", 422)
