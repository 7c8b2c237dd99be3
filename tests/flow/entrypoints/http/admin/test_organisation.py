import pytest
from tests.flow.entrypoints.http.admin.office import Office


async def test_the_tree_is_made_moved_and_taken_down(office: Office) -> None:
    for team in ("support", "sales"):
        await office.ask("POST", "/teams", 201, json={"name": team})
    await office.ask("POST", "/projects", 201, json={"name": "helpdesk", "team": "support"})
    made = await office.ask("POST", "/services", 201, json={"name": "bot", "project": "helpdesk"})
    assert (made["team"], made["project"]) == ("support", "helpdesk")
    assert (await office.ask("PATCH", "/projects/helpdesk", json={"team": "sales"}))["team"] == "sales"
    assert (await office.ask("GET", "/services"))["services"][0]["team"] == "sales"
    await office.ask("POST", "/projects", 201, json={"name": "shop", "team": "support"})
    assert (await office.ask("PATCH", "/services/bot", json={"project": "shop"}))["team"] == "support"
    assert (await office.refused("DELETE", "/teams/support", 409))["code"] == "in_use"
    await office.ask("DELETE", "/services/bot?reason=over")
    for project in ("shop", "helpdesk"):
        await office.ask("DELETE", f"/projects/{project}")
    await office.ask("DELETE", "/teams/support")
    assert [one["name"] for one in (await office.ask("GET", "/teams"))["teams"]] == ["sales"]
    assert (await office.ask("GET", "/projects"))["projects"] == []


async def test_environments_stand_in_keys_and_are_short(office: Office) -> None:
    await office.ask("POST", "/environments", 201, json={"name": "qa"})
    assert (await office.refused("POST", "/environments", 409, json={"name": "qa"}))["code"] == "already_exists"
    assert (await office.refused("POST", "/environments", 422, json={"name": "a long one"}))["field"] == "name"
    assert [one["name"] for one in (await office.ask("GET", "/environments"))["environments"]] == ["qa"]
    await office.ask("DELETE", "/environments/qa")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/teams", {"name": "Über"}, 422),
        ("/projects", {"name": "a", "team": "nobody"}, 404),
        ("/projects", {"name": "a"}, 422),
        ("/services", {"name": "a", "project": "nothing"}, 404),
    ],
)
async def test_what_belongs_nowhere_is_refused(office: Office, path: str, body: dict[str, str], status: int) -> None:
    await office.refused("POST", path, status, json=body)
