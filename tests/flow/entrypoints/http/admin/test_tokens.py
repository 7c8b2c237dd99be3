from tests.flow.entrypoints.http.admin.office import Office


async def test_a_token_is_told_once_with_the_role_it_was_given(office: Office) -> None:
    answer = await office.owner.post("/api/v1/tokens", json={"role": "auditor"})
    made = answer.json()
    assert (answer.status_code, answer.headers["cache-control"], made["role"]) == (201, "no-store", "auditor")
    assert made["secret"].startswith(f"clva_admin_{made['kid']}_")
    listed = (await office.ask("GET", "/tokens"))["tokens"]
    assert made["kid"] in [one["kid"] for one in listed]
    assert made["secret"][-49:] not in str(listed)
    async with office.client(made["secret"]) as program:
        assert (await program.post("/api/v1/teams", json={"name": "a"})).status_code == 403


async def test_what_is_no_role_or_no_token_is_refused(office: Office) -> None:
    assert (await office.refused("POST", "/tokens", 422, json={"role": "root"}))["field"] == "role"
    assert (await office.refused("DELETE", "/tokens/0123456789AB", 404))["code"] == "not_found"
    assert (await office.ask("POST", "/tokens", 201))["role"] == "owner"
