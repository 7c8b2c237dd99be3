from tests.flow.entrypoints.http.admin.office import Office


async def test_a_member_is_added_looked_at_changed_and_removed(office: Office) -> None:
    await office.ask("POST", "/teams", 201, json={"name": "support"})
    made = await office.ask("POST", "/members", 201, json={"name": "asha", "email": "a@example.com"})
    assert (made["state"], made["kind"], made["keys"]) == ("active", "person", 0)
    await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"})
    assert (await office.ask("GET", "/members/asha"))["keys"] == 1
    changed = await office.ask("PATCH", "/members/asha", json={"teams": ["support"], "email": ""})
    assert (changed["teams"], changed["email"], changed["keys"]) == (["support"], "", 1)
    assert [one["name"] for one in (await office.ask("GET", "/members"))["members"]] == ["asha"]
    assert (await office.refused("DELETE", "/members/asha", 409))["code"] == "in_use"
    await office.ask("POST", "/keys/prod-mail-01/revoke")
    await office.ask("DELETE", "/members/asha?reason=over")
    assert (await office.ask("GET", "/members"))["members"] == []


async def test_a_name_may_hold_any_letter(office: Office) -> None:
    for name, path in (("ops/night", "ops%2Fnight"), ("Asha Rao", "Asha%20Rao"), ("?#", "%3F%23")):
        await office.ask("POST", "/members", 201, json={"name": name, "kind": "machine"})
        assert (await office.ask("GET", f"/members/{path}"))["name"] == name
        await office.ask("PATCH", f"/members/{path}", json={"email": "x@y"})
        await office.ask("DELETE", f"/members/{path}")


async def test_a_key_for_nobody_is_refused_with_the_command_that_adds_them(office: Office) -> None:
    await office.ask("POST", "/members", 201, json={"name": "asha"})
    error = await office.refused("POST", "/keys", 422, json={"name": "prod-mail-01", "owner": "bela"})
    assert (error["code"], error["field"], error["fix"]) == ("owner_unknown", "owner", "clavero member add bela")
    sent = {"json": {"name": "prod-mail-01", "owner": "bela"}, "headers": {"accept-language": "es"}}
    spanish = await office.refused("POST", "/keys", 422, **sent)
    assert "miembro" in spanish["message"]
    assert "clavero member add" in spanish["fix"]
