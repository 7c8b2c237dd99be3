from tests.flow.entrypoints.http.admin.office import Office

from clavero.domain.usage import Exchange

AT_NS = 1_795_000_000_123_456_789  # 2026-11-18T11:06:40.123456Z


async def test_a_key_is_told_with_its_place_its_budgets_and_its_last_use(office: Office) -> None:
    place = {"service": "mail", "team": "support", "project": "helpdesk"}
    made = await office.ask(
        "POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha", "limit": "$1/day"} | place
    )
    kid = made["key"]["kid"]
    assert made["key"]["last_used_at"] is None
    await office.ask("PUT", "/budgets", json={"subject": "key", "name": "prod-mail-01", "limit": "$9/month"})
    await office.ask("POST", "/keys", 201, json={"name": "prod-mail-02", "owner": "asha"})
    office.post(
        Exchange("req_1", AT_NS - 5, key_id=kid), Exchange("req_2", AT_NS, key_id=kid), Exchange("req_3", AT_NS + 9)
    )
    one = await office.ask("GET", "/keys/prod-mail-01")
    listed, other = (await office.ask("GET", "/keys"))["keys"]
    assert listed == one
    assert one["last_used_at"] == "2026-11-18T11:06:40.123456Z"
    assert {field: one[field] for field in place} == place
    assert sorted(budget["limit"] for budget in one["budgets"]) == ["$1/day", "$9/month"]
    assert (other["last_used_at"], other["budgets"]) == (None, [])


async def test_no_digest_of_a_secret_is_told(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["key"]
    assert set(made["versions"][0]) == {"number", "last_four", "created_at", "ends_at", "works"}
