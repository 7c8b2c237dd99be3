import asyncio
from datetime import UTC, datetime

import pytest
from tests.flow.entrypoints.http.admin.office import Office

from clavero.adapters.storage.archive_sqlite import SqliteArchive
from clavero.domain.retention import Kept
from clavero.domain.tokens import base62
from clavero.domain.usage import Attempt, Exchange, Tokens


def exchange(office: Office, name: str, **known: object) -> Exchange:
    return Exchange(name, office.desk.clock.wall_ns(), **known)  # type: ignore[arg-type] # facts of a test


def made(office: Office, age_s: int = 0) -> str:
    """An id of the gateway's shape, of a request that arrived so long ago."""
    return "req_" + base62(office.desk.clock.wall_ns() // 10**9 - age_s, 6) + "0123456789AB"


@pytest.mark.requirement(1)
async def test_an_id_leads_to_key_owner_model_tokens_and_cost(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["key"]
    tried = (
        Attempt("house", "m", 10, 2000, 503, 0, "upstream_error"),
        Attempt("house", "m", 2500, 9000, 200, 3000, "", 500),
    )
    office.post(
        exchange(office, "req_a", key_id=made["kid"], owner="asha", cost_n=7, held_n=9, final=False),
        exchange(
            office, "req_a", key_id=made["kid"], owner="asha", model_asked="fast", model_served="m", provider="house",
            tokens=Tokens(5, 0, 0, 6, 0), cost_n=11, held_n=20, attempts=tried, status=200, endpoint="chat",
        ),
    )  # fmt: skip
    found = await office.ask("GET", "/requests/req_a")
    assert (found["key"], found["kid"], found["owner"]) == ("prod-mail-01", made["kid"], "asha")
    assert (found["model_asked"], found["model_served"], found["provider"]) == ("fast", "m", "house")
    assert found["tokens"]["output"] == 6
    assert found["cost_nano_usd"] == 18
    assert [leg["cost_nano_usd"] for leg in found["legs"]] == [7, 11]
    assert [(one["status"], one["code"], one["waited_us"]) for one in found["attempts"]] == [
        (503, "upstream_error", 0), (200, "", 500),
    ]  # fmt: skip


async def test_a_trace_waits_for_its_record(office: Office) -> None:
    late = made(office)
    asked = asyncio.ensure_future(office.ask("GET", f"/requests/{late}"))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(office.post, exchange(office, late, status=200))
    assert (await asked)["request_id"] == late


@pytest.mark.parametrize("age_s", [4_000, -400])
async def test_what_cannot_come_any_more_is_not_waited_for(
    office: Office, age_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_seconds: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr("clavero.entrypoints.http.admin.requests.asyncio.sleep", sleep)
    for name in (made(office, age_s), "req_none", "%", "x" * 400):
        await office.refused("GET", f"/requests/{name}", 404)


async def test_a_record_that_is_deleted_is_told_from_one_that_never_was(office: Office) -> None:
    old, older = made(office, 3 * 86_400), made(office, 9 * 86_400)
    office.post(exchange(office, old, status=200))
    await office.refused("GET", f"/requests/{older}", 404)
    archive = SqliteArchive(office.folder / "clavero.db", office.desk.clock)
    today = office.desk.clock.wall_ns() // (86_400 * 10**9)
    office.post(Exchange("req_x", office.desk.clock.wall_ns() - 9 * 86_400 * 10**9))
    assert archive.drop(Kept.RECORDS, today - 5, 9).rows == 1
    archive.close()
    error = await office.refused("GET", f"/requests/{older}", 410)
    assert error["code"] == "record_deleted"
    kept = datetime.fromtimestamp((today - 5) * 86_400, UTC).date()
    assert f"kept from {kept} on" in error["message"]
    await office.refused("GET", f"/requests/{old}", 404)


async def test_what_never_came_is_not_found(office: Office) -> None:
    error = await office.refused("GET", "/requests/req_none", 404)
    assert error["code"] == "not_found"
    assert "req_none" in error["message"]


async def test_pages_meet_without_gap_or_overlap(office: Office) -> None:
    start = office.desk.clock.wall_ns() - 10_000
    office.post(*[Exchange(f"req_{n}", start + n, status=200 if n % 2 else 429) for n in range(7)])
    seen: list[str] = []
    onward = ""
    for _ in range(9):
        page = await office.ask("GET", f"/requests?limit=3&before={onward}")
        seen += [one["request_id"] for one in page["requests"]]
        if page["next"] is None:
            break
        onward = page["next"]
    assert seen == [f"req_{n}" for n in range(6, -1, -1)]


async def test_filters_are_applied_and_a_key_is_named_by_its_name(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["key"]
    office.post(
        exchange(office, "req_1", key_id=made["kid"], service="mail", model_asked="m", status=200),
        exchange(office, "req_2", service="chat", status=429, code="insufficient_quota"),
    )
    for query, wanted in {
        "key=prod-mail-01": ["req_1"],
        f"key={made['kid']}": ["req_1"],
        "service=chat": ["req_2"],
        "model=m": ["req_1"],
        "status=429": ["req_2"],
        "code=insufficient_quota": ["req_2"],
        "code=other": [],
    }.items():
        found = (await office.ask("GET", f"/requests?{query}"))["requests"]
        assert [one["request_id"] for one in found] == wanted, query


@pytest.mark.parametrize("query", ["limit=0", "limit=9999", "status=-1", "status=99999999999999999999", "before=x"])
async def test_a_page_that_is_none_is_refused(office: Office, query: str) -> None:
    await office.refused("GET", f"/requests?{query}", 422)
    assert await office.ask("GET", "/requests?before=99999999999999999999999"[: len("/requests?before=") + 19])
    await office.refused("GET", "/requests?key=nobody", 404)
