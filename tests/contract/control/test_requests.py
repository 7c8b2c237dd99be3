"""Requests on both databases: found by id and by any filters together, page by page."""

import itertools

import pytest
from tests.contract.control.ledger_house import DAY_NS, House

from clavero.control import requests
from clavero.control.requests import Before, Wanted
from clavero.domain.budgets import RowKey
from clavero.domain.posting import Charge, Posting
from clavero.domain.refusals import NotFound
from clavero.domain.tokens import base62
from clavero.domain.usage import Attempt, Exchange

EVERY = Wanted()


async def ids(house: House, wanted: Wanted = EVERY, most: int = 50) -> list[str]:
    return [row["request_id"] for row in await requests.latest(house.desk, wanted, most)]


@pytest.mark.requirement(1)
async def test_a_trace_has_every_leg_the_closing_one_last(house: House) -> None:
    attempt = Attempt("openai", "m", 1, 2, 200)
    for number, final in ((1, False), (2, True)):
        exchange = Exchange("req_t", house.clock.wall_ns() + number, cost_n=number, final=final, attempts=(attempt,))
        charge = Charge(RowKey(house.team.id, house.today_s), number, 0)
        house.post(Posting(f"req_t.{number}", exchange, (charge,)))
    found = await requests.trace(house.desk, "req_t")
    assert [leg["final"] for leg in found.legs] == [False, True]
    assert (found.cost_n, found.last["cost_n"], found.last["at"]) == (3, 2, "2027-01-15T08:00:00Z")
    assert found.last["attempts"][0][:2] == ["openai", "m"]
    assert found.last["amounts"] == [[house.team.id, house.today_s, 2]]
    with pytest.raises(NotFound):
        await requests.trace(house.desk, "req_unknown")


@pytest.mark.parametrize("days_ago", [0, 1, 400])
async def test_an_id_with_its_time_is_found_on_its_day(house: House, days_ago: int) -> None:
    at_ns = house.clock.wall_ns() - days_ago * DAY_NS
    identity = "req_" + base62(at_ns // 10**9, 6) + "0123456789AB"
    house.post(Posting(f"{identity}.1", Exchange(identity, at_ns, status=200)))
    assert (await requests.trace(house.desk, identity)).last["at_ns"] == at_ns
    with pytest.raises(NotFound):
        await requests.trace(house.desk, identity[:-1] + "C")


@pytest.mark.parametrize("text", ["", "%", "req_0001", "req_0001.", "req_0001/", "req_0001.1.1", "é" * 50, "'"])
async def test_another_id_leads_to_nothing(house: House, text: str) -> None:
    house.spend(1)
    if text == "req_0001":
        assert (await requests.trace(house.desk, text)).cost_n == 1
        return
    with pytest.raises(NotFound):
        await requests.trace(house.desk, text)


async def test_the_newest_requests_come_first_and_only_those_that_pass(house: House) -> None:
    for number in range(5):
        house.clock.advance(1)
        house.spend(
            1, service="mail" if number % 2 else "chat", code="overloaded" if number == 3 else "", key_id=f"k{number}"
        )
    assert await ids(house, most=3) == ["req_0005", "req_0004", "req_0003"]
    assert await ids(house, Wanted(service="mail")) == ["req_0004", "req_0002"]
    assert await ids(house, Wanted(code="overloaded")) == ["req_0004"]
    assert await ids(house, Wanted(key="k0")) == ["req_0001"]
    assert await ids(house, Wanted(model="'; --")) == []
    assert await ids(house, Wanted(before=Before(house.clock.wall_ns() - 10**9))) == [
        "req_0003",
        "req_0002",
        "req_0001",
    ]


async def test_any_filters_together_find_what_a_look_at_every_row_finds(house: House) -> None:
    told = []
    for number, (service, model, status, days_ago) in enumerate(
        itertools.product(("chat", "mail"), ("big", ""), (200, 429), (0, 1, 9)), 1
    ):
        known = {
            "service": service, "model_served": model, "model_asked": model or "tiny", "status": status,
            "code": "" if status == 200 else "rate_limited", "key_id": f"k{number % 2}",
        }  # fmt: skip
        house.spend(1, days_ago=days_ago, **known)  # type: ignore[arg-type] # facts of a test
        told.append((house.clock.wall_ns() - days_ago * DAY_NS, f"req_{number:04d}", known))
    for service, model, status, code, key in itertools.product(
        ("", "chat", "none"), ("", "big", "tiny"), (0, 429, 500), ("", "rate_limited"), ("", "k1")
    ):
        wanted = Wanted(service=service, model=model, status=status, code=code, key=key)
        found = [
            name
            for _, name, it in sorted(told, reverse=True)
            if it["service"] == (service or it["service"])
            and (not model or model in {it["model_served"], it["model_asked"]})
            and it["status"] == (status or it["status"])
            and it["code"] == (code or it["code"])
            and it["key_id"] == (key or it["key_id"])
        ]
        assert await ids(house, wanted) == found, wanted


async def test_pages_meet_without_gap_or_overlap_also_where_moments_are_the_same(house: House) -> None:
    for number in range(23):
        house.spend(1, days_ago=number // 10, service="mail" if number % 3 else "chat")
    for service in ("", "mail"):
        everything = await ids(house, Wanted(service=service))
        seen: list[str] = []
        begin: Before | None = Before()
        while begin is not None:
            rows = await requests.latest(house.desk, Wanted(service=service, before=begin), 4)
            seen += [row["request_id"] for row in rows]
            text = str(Before(rows[-1]["at_ns"], rows[-1]["hold_id"])) if len(rows) == 4 else "-"
            begin = requests.before(text)
        assert seen == everything
        assert len(set(seen)) == (23 if not service else 15)


@pytest.mark.parametrize("text", ["", "x", "-1", "1" * 20, "²", "1.5"])
def test_what_is_no_beginning_of_a_page_is_none(text: str) -> None:
    assert requests.before(text) is None
