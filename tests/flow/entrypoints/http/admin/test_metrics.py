from tests.flow.entrypoints.http.admin.office import BOOT, Office

from clavero.domain.usage import Exchange
from clavero.wire.journal import Record


async def test_a_scraper_on_this_machine_needs_no_token(office: Office) -> None:
    office.meter.heard(BOOT, [Record(Exchange("req_1", 1, endpoint="chat", status=200))])
    answer = await office.stranger.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'clavero_exchanges_total{code="",endpoint="chat",model="",status="200"} 1.0' in answer.text


async def test_any_other_needs_one_that_may_read(office: Office) -> None:
    async with office.client("", "10.1.2.3") as far:
        assert (await far.get("/metrics")).status_code == 401
    async with office.client("", "127.0.0.1", **{"x-forwarded-for": "10.1.2.3"}) as passed_on:
        assert (await passed_on.get("/metrics")).status_code == 401
    assert (await office.stranger.get("/metrics", headers={"authorization": "Bearer x"})).status_code == 401
    assert (await office.auditor.get("/metrics")).status_code == 200


async def test_the_gauges_come_from_the_database(office: Office) -> None:
    await office.ask("POST", "/teams", 201, json={"name": "support"})
    office.post(Exchange("req_1", office.desk.clock.wall_ns(), cost_n=5))
    lines = (await office.stranger.get("/metrics")).text.splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(found["clavero_change_seq"]) > 0
    assert float(found["clavero_ledger_excess_nano_usd"]) == 0
    assert float(found['clavero_worker_heartbeat_age_seconds{worker="w1"}']) >= 0
