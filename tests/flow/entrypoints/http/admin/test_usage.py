from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.entrypoints.http.admin.office import Office

from clavero.domain.usage import Exchange, Tokens

DAY_NS = 86_400 * 10**9
HOUR_NS = 3600 * 10**9


def exchange(office: Office, number: int, **known: object) -> Exchange:
    facts = {"service": "mail", "model_served": "m", "status": 200, "cost_n": 1000, **known}
    at_ns = int(facts.pop("at_ns", office.desk.clock.wall_ns()))  # type: ignore[call-overload] # facts of a test
    return Exchange(f"req_{number}", at_ns, tokens=Tokens(10, 1, 2, 3, 4), **facts)  # type: ignore[arg-type] # the same


@pytest.mark.requirement(53)
async def test_groups_sum_to_the_total_and_the_total_to_the_ledger(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["key"]
    office.post(
        exchange(office, 1, key_id=made["kid"]),
        exchange(office, 2, key_id=made["kid"], service="chat", status=502, code="upstream_error"),
        exchange(office, 3, key_id="gone", estimated=True),
    )
    report = await office.ask("GET", "/usage?by=service,key&since=1d")
    assert report["by"] == ["service", "key"]
    assert report["total"]["calls"] == 3
    assert report["total"]["errors"] == 1
    assert report["total"]["cost_nano_usd"] == sum(row["cost_nano_usd"] for row in report["rows"]) == 3000
    assert report["total"]["estimated_nano_usd"] == 1000
    assert report["total"]["tokens"] == {"input": 30, "cached": 3, "cache_write": 6, "output": 9, "reasoning": 12}
    assert {(row["service"], row["key"]) for row in report["rows"]} == {
        ("mail", "prod-mail-01"), ("chat", "prod-mail-01"), ("mail", "gone"),
    }  # fmt: skip
    assert report["unbudgeted_nano_usd"] == 3000
    assert report["charged_nano_usd"] == report["ledger_nano_usd"] == 0
    assert report["equal"]


async def test_days_are_whole_and_told(office: Office) -> None:
    now_ns = office.desk.clock.wall_ns()
    office.post(exchange(office, 1), exchange(office, 2, at_ns=now_ns - 3 * DAY_NS))
    assert (await office.ask("GET", "/usage?since=5d"))["total"]["calls"] == 2
    today = await office.ask("GET", "/usage?since=0d")
    assert today["total"]["calls"] == 1
    assert today["since"].endswith("T00:00:00Z")
    early = await office.ask("GET", "/usage?since=2026-01-01&until=2d&by=day")
    assert [row["calls"] for row in early["rows"]] == [1]


async def test_hours_are_whole_where_hours_are_said(office: Office) -> None:
    now_ns = office.desk.clock.wall_ns()
    office.post(*[exchange(office, number, at_ns=now_ns - number * HOUR_NS) for number in range(5)])
    two = await office.ask("GET", "/usage?since=2h")
    assert two["total"]["calls"] == 3
    bounds = [datetime.fromisoformat(two[name]) for name in ("since", "until")]
    assert bounds[1] - bounds[0] == timedelta(hours=3)
    assert bounds[0].minute == bounds[0].second == bounds[1].minute == 0
    moment = datetime.fromtimestamp((now_ns - 2 * HOUR_NS) // HOUR_NS * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await office.ask("GET", f"/usage?since={moment}"))["since"] in {moment, moment[:11] + "00:00:00Z"}


async def test_only_the_dearest_rows_are_told_and_that_there_are_more(office: Office) -> None:
    office.post(*[exchange(office, number, service=f"s{number}", cost_n=number) for number in range(5)])
    some = await office.ask("GET", "/usage?by=service&limit=2")
    assert [row["service"] for row in some["rows"]] == ["s4", "s3"]
    assert some["more"]
    assert some["total"]["calls"] == 5
    assert not (await office.ask("GET", "/usage?by=service&limit=5"))["more"]
    await office.refused("GET", "/usage?limit=0", 422)


@pytest.mark.parametrize(
    "query", ["by=colour", "since=soon", "since=1d&until=9d", "since=1900-01-01", "since=2026-11-99", "since=99999999d"]
)
async def test_a_question_without_meaning_is_refused(office: Office, query: str) -> None:
    assert (await office.refused("GET", f"/usage?{query}", 422))["field"] in {"by", "since", "until"}
