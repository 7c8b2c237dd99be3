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


async def test_who_leaves_hands_the_keys_over_and_every_place_says_so_meanwhile(office: Office) -> None:
    for name in ("asha", "bo"):
        await office.ask("POST", "/members", 201, json={"name": name})
    for number in (1, 2):
        await office.ask("POST", "/keys", 201, json={"name": f"prod-mail-0{number}", "owner": "asha"})
    left = await office.ask("POST", "/members/asha/leave", json={"reason": "another job"})
    assert (left["state"], left["keys"]) == ("left", 2)
    assert left["transfer_due_at"] > left["left_at"]
    assert (await office.ask("GET", "/keys/prod-mail-01"))["transfer_due_at"] == left["transfer_due_at"]
    status = await office.ask("GET", "/status")
    assert (status["keys_under_transfer"], status["keys_overdue"]) == (2, 0)
    assert status["transfer_due_at"] == left["transfer_due_at"]
    scraped = (await office.owner.get("/metrics")).text
    assert "clavero_keys_under_transfer 2.0" in scraped
    assert "clavero_keys_transfer_overdue 0.0" in scraped
    assert (await office.ask("POST", "/keys/prod-mail-01/transfer", json={"to": "bo"}))["transfer_due_at"] is None
    waiting = (await office.ask("GET", "/keys?under_transfer=true"))["keys"]
    assert [key["name"] for key in waiting] == ["prod-mail-02"]
    done = await office.ask("POST", "/members/asha/transfer", json={"to": "bo"})
    assert done == {"name": "asha", "to": "bo", "keys": ["prod-mail-02"]}
    assert (await office.ask("GET", "/status"))["keys_under_transfer"] == 0
    assert (await office.ask("POST", "/members/asha/rejoin"))["transfer_due_at"] is None


async def test_whois_says_that_the_owner_has_left(office: Office) -> None:
    secret = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha"}))["secret"]
    await office.ask("POST", "/members/asha/leave")
    (match,) = (await office.ask("POST", "/whois", json={"fragment": secret}))["keys"]
    assert (match["key"]["owner"], bool(match["key"]["transfer_due_at"])) == ("asha", True)
