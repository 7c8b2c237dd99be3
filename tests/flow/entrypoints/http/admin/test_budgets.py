import pytest
from tests.flow.entrypoints.http.admin.office import Office

TEAM = {"subject": "team", "name": "support", "limit": "$10/day"}


async def test_a_budget_is_made_changed_and_closed(office: Office) -> None:
    await office.ask("POST", "/teams", 201, json={"name": "support"})
    made = await office.ask("PUT", "/budgets", json=TEAM)
    assert made["id"] == "team/support:day"
    assert (made["limit_nano_usd"], made["left_nano_usd"], made["state"]) == (10**10, 10**10, "open")
    assert made["resets_at"] > made["starts_at"]
    lower = await office.ask("PUT", "/budgets", json=TEAM | {"limit": "$5/day", "policy": "clamp"})
    assert (lower["limit"], lower["policy"]) == ("$5/day", "clamp")
    assert len((await office.ask("GET", "/budgets"))["budgets"]) == 1
    assert (await office.ask("GET", "/budgets?subject=key"))["budgets"] == []
    assert await office.ask("DELETE", "/budgets/team/support:day?reason=done") == {"id": made["id"], "state": "closing"}
    assert (await office.ask("GET", "/budgets"))["budgets"] == []
    assert (await office.refused("DELETE", "/budgets/team/support:day", 404))["code"] == "not_found"


async def test_a_keys_budget_is_named_by_the_keys_name(office: Office) -> None:
    await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"})
    made = await office.ask("PUT", "/budgets", json={"subject": "key", "name": "prod-mail-01", "limit": "3.50/month"})
    assert made["name"] == "prod-mail-01"
    assert made["id"].startswith("key/")
    assert [one["id"] for one in (await office.ask("GET", "/budgets?name=prod-mail-01"))["budgets"]] == [made["id"]]
    assert (await office.ask("DELETE", "/budgets/key/prod-mail-01:month"))["id"] == made["id"]


@pytest.mark.parametrize(
    ("limit", "nano", "window"),
    [
        ({"limit": "$1"}, 10**9, "forever"),
        ({"limit": "$1", "window": "day"}, 10**9, "day"),
        ({"limit_usd": "0.000000001", "window": "week"}, 1, "week"),
        ({"limit_usd": 2.5, "window": "month"}, 2_500_000_000, "month"),
    ],
)
async def test_a_limit_is_said_in_one_of_two_ways(
    office: Office, limit: dict[str, object], nano: int, window: str
) -> None:
    made = await office.ask("PUT", "/budgets", json={"subject": "organisation"} | limit)
    assert (made["limit_nano_usd"], made["window"]) == (nano, window)


@pytest.mark.parametrize(
    "limit",
    [
        {},
        {"limit": "ten"},
        {"limit": "$1/fortnight"},
        {"limit": "$1/day", "window": "week"},
        {"limit": "$1/day", "limit_usd": 1},
        {"limit_usd": 1},
        {"limit_usd": -1, "window": "day"},
        {"limit_usd": "1e30", "window": "day"},
        {"limit_usd": "0.0000000001", "window": "day"},
        {"limit_usd": "NaN", "window": "day"},
        {"limit": "$1/day", "policy": "maybe"},
        {"limit": "$1/day", "subject": "moon"},
    ],
)
async def test_a_limit_that_is_none_makes_no_budget(office: Office, limit: dict[str, object]) -> None:
    error = await office.refused("PUT", "/budgets", 422, json={"subject": "organisation"} | limit)
    assert error["code"] == "invalid_value"
    assert (await office.ask("GET", "/budgets"))["budgets"] == []
