import pytest
from tests.flow.entrypoints.http.admin.office import Office

OPENAI = {"name": "openai", "kind": "openai", "base_url": "https://api.openai.com", "models": ["gpt-*"]}
SECRET = "sk-" + "q" * 40


async def test_a_providers_key_is_taken_and_never_given(office: Office) -> None:
    await office.ask("POST", "/providers", 201, json=OPENAI)
    answer = await office.owner.post("/api/v1/providers/openai/credential", json={"secret": SECRET})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["version"], made["last_four"], made["origin"]) == (1, "qqqq", "https://api.openai.com:443")
    for path in ("/providers", "/providers/openai", "/credentials", "/audit"):
        assert SECRET not in str(await office.ask("GET", path))
    retired = await office.ask("DELETE", f"/credentials/{made['id']}?reason=old")
    assert retired["state"] == "retired"
    assert (await office.ask("GET", "/providers/openai"))["credentials"] == []
    assert len((await office.ask("GET", "/credentials?provider=openai"))["credentials"]) == 1
    assert (await office.ask("GET", "/credentials?provider=other"))["credentials"] == []


async def test_another_origin_retires_keys_and_names_them(office: Office) -> None:
    await office.ask("POST", "/providers", 201, json=OPENAI)
    made = await office.ask("POST", "/providers/openai/credential", 201, json={"secret": SECRET})
    kept = await office.ask("PATCH", "/providers/openai", json={"models": ["gpt-4*"]})
    assert kept["retired"] == []
    moved = await office.ask("PATCH", "/providers/openai", json={"base_url": "https://eu.api.openai.com"})
    assert [one["id"] for one in moved["retired"]] == [made["id"]]
    assert moved["models"] == ["gpt-4*"]
    assert moved["credentials"] == []


async def test_a_provider_is_paused_and_removed(office: Office) -> None:
    await office.ask("POST", "/providers", 201, json=OPENAI)
    assert not (await office.ask("POST", "/providers/openai/disable", json={"reason": "bill"}))["enabled"]
    assert (await office.ask("POST", "/providers/openai/enable"))["enabled"]
    await office.refused("POST", "/providers", 409, json=OPENAI)
    await office.ask("PUT", "/models/fast", json={"provider": "openai", "served": "gpt-4o-mini"})
    assert (await office.refused("DELETE", "/providers/openai", 409))["code"] == "in_use"
    await office.ask("DELETE", "/models/fast")
    await office.ask("DELETE", "/providers/openai")
    assert (await office.refused("GET", "/providers/openai", 404))["code"] == "not_found"


async def test_a_model_is_declared_under_any_name(office: Office) -> None:
    await office.ask("POST", "/providers", 201, json=OPENAI)
    made = await office.ask("PUT", "/models/team/fast", json={"provider": "openai", "served": "gpt-4o-mini"})
    assert (made["name"], made["served"]) == ("team/fast", "gpt-4o-mini")
    assert (await office.ask("PUT", "/models/gpt-4o", json={"provider": "openai"}))["served"] == "gpt-4o"
    assert [one["name"] for one in (await office.ask("GET", "/models"))["models"]] == ["gpt-4o", "team/fast"]
    await office.refused("PUT", "/models/x", 404, json={"provider": "nobody"})
    assert (await office.ask("DELETE", "/models/team/fast"))["name"] == "team/fast"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"network": "moon"},
        {"base_url": "file:///etc/passwd"},
        {"base_url": "http://169.254.169.254"},
        {"base_url": "https://user:word@api.openai.com"},
        {"name": "Open AI"},
        {"models": ["a b"]},
    ],
)
async def test_a_bad_provider_is_refused_and_not_made(office: Office, change: dict[str, object]) -> None:
    assert (await office.refused("POST", "/providers", 422, json=OPENAI | change))["code"] == "invalid_value"
    assert (await office.ask("GET", "/providers"))["providers"] == []


@pytest.mark.parametrize("secret", ["", "with space", "x" * 9000, "clvk_prod_0123456789AB_" + "a" * 49])
async def test_what_is_no_providers_key_is_refused_without_saying_it_back(office: Office, secret: str) -> None:
    await office.ask("POST", "/providers", 201, json=OPENAI)
    error = await office.refused("POST", "/providers/openai/credential", 422, json={"secret": secret})
    assert error["field"] == "secret"
    assert not secret or secret not in str(error)
