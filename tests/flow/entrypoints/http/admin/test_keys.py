import pytest
from tests.flow.entrypoints.http.admin.office import Office

from clavero.control import credentials
from clavero.control.commit import perform
from clavero.domain.access import SYSTEM
from clavero.domain.credentials import Network, Provider, ProviderKind
from clavero.domain.keys import Key
from clavero.domain.secret import Secret

KEY = {"name": "prod-mail-01", "owner": "asha", "models": ["gpt-4o-mini"]}


@pytest.mark.requirement(12)
async def test_a_secret_is_told_once_and_never_cached(office: Office) -> None:
    answer = await office.owner.post("/api/v1/keys", json=KEY)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    secret = answer.json()["secret"]
    assert secret.startswith("clvk_prod_")
    for path in ("/keys", "/keys/prod-mail-01", "/audit"):
        assert secret[-49:] not in str(await office.ask("GET", path))


@pytest.mark.requirement(4)
async def test_a_refused_name_comes_with_the_rule_and_a_suggestion_that_passes(office: Office) -> None:
    error = await office.refused("POST", "/keys", 422, json=KEY | {"name": "test123"})
    assert error["code"] == "invalid_value"
    assert error["field"] == "name"
    assert "<env>-<service>" in error["message"]
    await office.ask("POST", "/keys", 201, json=KEY | {"name": error["suggestion"]})


async def test_a_limit_comes_with_the_key_or_neither_comes(office: Office) -> None:
    made = await office.ask("POST", "/keys", 201, json=KEY | {"limit": "$10/day", "expires_in": "30d"})
    (budget,) = made["key"]["budgets"]
    assert (budget["limit"], budget["limit_nano_usd"], budget["subject"]) == ("$10/day", 10_000_000_000, "key")
    assert made["key"]["expires_at"]
    await office.refused("POST", "/keys", 422, json=KEY | {"name": "prod-mail-02", "limit": "ten a day"})
    await office.refused("POST", "/keys", 422, json=KEY | {"name": "prod-mail-02", "limit": "$-1/day"})
    assert [key["name"] for key in (await office.ask("GET", "/keys"))["keys"]] == ["prod-mail-01"]


async def test_keys_are_filtered_and_found_by_name_or_kid(office: Office) -> None:
    await office.ask("POST", "/keys", 201, json=KEY)
    await office.ask("POST", "/members", 201, json={"name": "ben"})
    await office.ask("POST", "/keys", 201, json=KEY | {"name": "dev-chat-01", "owner": "ben"})
    names = [key["name"] for key in (await office.ask("GET", "/keys?owner=ben"))["keys"]]
    assert names == ["dev-chat-01"]
    assert (await office.ask("GET", "/keys?state=revoked"))["keys"] == []
    one = await office.ask("GET", "/keys/dev-chat-01")
    assert await office.ask("GET", f"/keys/{one['kid']}") == one
    assert (one["service"], one["team"], one["project"]) == ("chat", "default", "default")
    error = await office.refused("GET", "/keys/dev-chat-02", 404)
    assert error["suggestion"] == "dev-chat-01"


async def test_pages_of_keys_meet(office: Office) -> None:
    names = [f"prod-mail-{n:02d}" for n in range(1, 6)]
    for name in names:
        await office.ask("POST", "/keys", 201, json=KEY | {"name": name})
    first = await office.ask("GET", "/keys?limit=3")
    second = await office.ask("GET", f"/keys?limit=3&after={first['next']}")
    assert [key["name"] for key in first["keys"] + second["keys"]] == names
    assert second["next"] is None
    await office.refused("GET", "/keys?limit=0", 422)


async def test_a_scope_is_changed_and_what_was_not_sent_stays(office: Office) -> None:
    await office.ask("POST", "/keys", 201, json=KEY | {"expires_in": "30d"})
    changed = await office.ask("PATCH", "/keys/prod-mail-01", json={"add_models": ["gpt-4o"], "reason": "wanted"})
    assert changed["models"] == ["gpt-4o-mini", "gpt-4o"]
    assert changed["owner"] == "asha"
    assert changed["expires_at"]
    assert (await office.ask("PATCH", "/keys/prod-mail-01", json={"expires_in": "never"}))["expires_at"] is None
    error = await office.refused("PATCH", "/keys/prod-mail-01", 422, json={"modles": []})
    assert error["field"] == "modles"


async def test_rotation_overlaps_for_the_grace(office: Office) -> None:
    first = await office.ask("POST", "/keys", 201, json=KEY)
    second = await office.ask("POST", "/keys/prod-mail-01/rotate", json={"grace": "24h"})
    assert second["secret"] != first["secret"]
    assert second["key"]["state"] == "rotating"
    assert [(one["number"], one["works"]) for one in second["key"]["versions"]] == [(2, True), (1, True)]
    third = await office.ask("POST", "/keys/prod-mail-01/rotate", json={"grace": "0"})
    assert [one["works"] for one in third["key"]["versions"]] == [True, False, False]
    await office.ask("POST", "/keys/prod-mail-01/rotate")
    await office.refused("POST", "/keys/prod-mail-01/rotate", 422, json={"grace": "1y"})
    await office.refused("POST", "/keys/prod-mail-01/rotate", 422, json={"grace": "400d"})


async def test_states_move_along_their_edges_and_keep_their_reason(office: Office) -> None:
    await office.ask("POST", "/keys", 201, json=KEY)
    assert (await office.ask("POST", "/keys/prod-mail-01/disable", json={"reason": "noise"}))["reason"] == "noise"
    assert (await office.ask("POST", "/keys/prod-mail-01/enable"))["state"] == "active"
    assert (await office.ask("POST", "/keys/prod-mail-01/revoke", json={"reason": "leak"}))["state"] == "revoked"
    error = await office.refused("POST", "/keys/prod-mail-01/enable", 409)
    assert error["code"] == "state_forbids"
    assert (await office.ask("POST", "/keys/prod-mail-01/retire"))["state"] == "retired"
    rows = (await office.ask("GET", "/audit"))["rows"]
    revoked = next(row for row in rows if row["action"] == "key.revoke")
    assert (revoked["reason"], revoked["actor_kind"], revoked["address"]) == ("leak", "token", "127.0.0.1")
    assert revoked["request_id"].startswith("req_")


async def test_why_says_which_stage_refuses(office: Office) -> None:
    await office.ask("POST", "/keys", 201, json=KEY)
    house = Provider(name="house", kind=ProviderKind.SIMULATED, base_url="http://127.0.0.1:9", network=Network.LOOPBACK,
                     models=("*",))  # fmt: skip
    await perform(office.desk, SYSTEM, credentials.add_provider, provider=house)
    await perform(office.desk, SYSTEM, credentials.add_credential, provider="house", secret=Secret("simulated-key-1"))
    steps = (await office.ask("GET", "/keys/prod-mail-01/why?model=gpt-4"))["steps"]
    assert steps[-1]["code"] == "model_not_allowed"
    assert [step["ok"] for step in steps[:-1]] == [True] * (len(steps) - 1)
    assert "clavero key update" in steps[-1]["fix"]
    steps = (await office.ask("GET", "/keys/prod-mail-01/why?model=gpt-4o-mini&max_tokens=10"))["steps"]
    assert {step["stage"] for step in steps} >= {"key", "endpoint", "model", "route", "price"}
    await office.refused("GET", "/keys/prod-mail-01/why", 422)
    await office.refused("GET", "/keys/prod-mail-01/why?model=m&max_tokens=-1", 422)
    await office.refused("GET", "/keys/prod-mail-09/why?model=m", 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": 7, "owner": "asha"},
        {"name": "prod-mail-01"},
        KEY | {"owner": ""},
        KEY | {"owner": "a" * 600},
        KEY | {"models": "gpt"},
        KEY | {"models": ["m"] * 300},
        KEY | {"endpoints": ["chatt"]},
        KEY | {"default_output_tokens": 10**30},
        KEY | {"default_output_tokens": 0},
        KEY | {"expires_in": "soon"},
        KEY | {"owner": "a\x00b"},
        KEY | {"unknown": 1},
        [],
    ],
)
async def test_a_bad_key_is_refused_with_its_field_and_nothing_is_made(office: Office, body: object) -> None:
    error = await office.refused("POST", "/keys", 422, json=body)
    assert error["code"] == "invalid_value"
    assert error["field"]
    async with office.desk.store.read() as look:
        assert await look.find(Key) == []


async def test_a_key_in_the_wrong_field_is_not_said_back(office: Office) -> None:
    secret = "sk-ant-" + "k" * 40
    for body in (KEY | {"name": secret}, KEY | {"owner": secret}, KEY | {secret: 1}, {"name": secret}):
        answer = await office.owner.post("/api/v1/keys", json=body)
        assert answer.status_code == 422
        assert secret not in answer.text
