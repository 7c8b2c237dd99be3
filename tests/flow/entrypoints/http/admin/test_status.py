import pytest
from tests.flow.entrypoints.http.admin.office import BOOT, Office

from clavero.control.signin import sign_in
from clavero.domain.secret import Secret
from clavero.domain.usage import Exchange
from clavero.wire.journal import Pulse


async def test_workers_are_told_with_what_they_last_said(office: Office) -> None:
    assert (await office.ask("GET", "/status"))["workers"] == []
    office.post(Exchange("req_1", office.desk.clock.wall_ns()))
    (worker,) = (await office.ask("GET", "/status"))["workers"]
    assert (worker["worker"], worker["state"], worker["in_flight"]) == ("w1", "live", None)
    office.meter.heard(BOOT, [Pulse(office.desk.clock.wall_ns(), 4, 3, 2, 150, 1)])
    told = await office.ask("GET", "/status")
    (worker,) = told["workers"]
    assert (worker["applied_seq"], worker["in_flight"], worker["waiting"], worker["streams"]) == (4, 3, 2, 1)
    assert worker["heartbeat_age_ms"] >= 0
    assert told["ingest_lag_ms"] >= 0
    assert (told["version"], told["rejects"], told["open_holds"]) == ("9.9.9", 0, 0)
    assert told["seq"] > 0


async def test_a_link_signs_in_once(office: Office) -> None:
    answer = await office.owner.post("/api/v1/link")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    address, _, token = answer.json()["link"].partition("#")
    assert address == "http://127.0.0.1:4142/sign-in"
    session, _ = await sign_in(office.desk, Secret(token), "127.0.0.1")
    assert session.csrf


async def test_settings_are_told_with_their_source_and_without_passwords(office: Office) -> None:
    told = (await office.ask("GET", "/settings"))["settings"]
    assert told[0] == {
        "name": "admin.port", "value": 4142, "source": "default", "description": "Port of console and admin API.",
    }  # fmt: skip
    assert told[1]["value"].startswith("postgresql://clavero:")
    assert "hunter22" not in str(told)


@pytest.mark.requirement(32)
async def test_a_code_is_explained_in_both_languages(office: Office) -> None:
    english = await office.ask("GET", "/explain/insufficient_quota")
    spanish = await office.ask("GET", "/explain/insufficient_quota", headers={"accept-language": "es-MX"})
    assert english["language"] == "en"
    assert english["fact"] != spanish["fact"]
    assert await office.ask("GET", "/explain/insufficient_quota?language=es") == spanish
    assert english["fix"]
    assert english["cause"]
    assert (await office.refused("GET", "/explain/insuficient_quota", 404))["suggestion"] == "insufficient_quota"
