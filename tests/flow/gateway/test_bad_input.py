"""What no client should send, in both dialects: a clear refusal, one record where the key is known, nothing upstream."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, chat, open_house

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}
SMALL = 64 * 1024


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that takes bodies of 64 KiB."""
    async with open_house(tmp_path / "data", gateway__body_bytes=SMALL) as house:
        await house.simulated()
        yield house
    assert not [line for line in house.logged if line.startswith("failure")]


def body(dialect: str, **more: Any) -> dict[str, Any]:
    if dialect == "responses":
        return {"model": "gpt-4o-mini", "input": "Hi", **more}
    model = "gpt-4o-mini" if dialect == "openai" else "claude-sonnet-4-5"
    return {"model": model, "messages": HI, "max_tokens": 9, **more}


GARBAGE = [
    "x",
    "clvk_",
    "clvk_prod_0123456789AB_" + "a" * 49,
    "clvk_prod_0123456789AB_" + "a" * 43 + "3rYW1j",
    "clva_prod_0123456789AB_" + "a" * 43 + "3rYW1j",
    "sk-proj-" + "A1b2" * 12,
    "sk-ant-api03-" + "A1b2" * 20,
    "' OR 1=1 --",
    "%_%",
    "../../etc/passwd",
    "k" * 5000,
    "clvk_prod_0123456789AB_" + "a" * 20_000,
]


@pytest.mark.requirement(33)
@pytest.mark.parametrize("dialect", PATHS)
async def test_garbage_for_a_key_is_401_says_what_is_wrong_and_leaves_no_record(house: House, dialect: str) -> None:
    database = house.data / "clavero.db"
    before = house.query("select count(*) as n from usage")
    for number, key in enumerate(GARBAGE):
        name = ("authorization", "x-api-key", "api-key", "x-goog-api-key")[number % 4]
        value = f"Bearer {key}" if name == "authorization" else key
        said = await house.post(PATHS[dialect], body(dialect), "", {name: value})
        assert said.status == 401, key[:30]
        assert said.code in {"malformed_api_key", "invalid_api_key", "provider_key_sent"}
        assert said.error["message"]
        assert len(key) < 10 or key not in said.text
        assert said.headers["www-authenticate"] == "Bearer"
    assert await house.rows() == []
    assert house.query("select count(*) as n from usage") == before
    assert sum(house.plugs.tally.refused.values()) == len(GARBAGE)
    assert len([line for line in house.logged if "stranger" in line]) <= 5  # at most one a second for an address
    assert database.exists()


async def test_a_provider_s_key_is_told_for_what_it_is(house: House) -> None:
    said = await house.post("/v1/chat/completions", chat(), "sk-proj-" + "A1b2" * 12)
    assert said.code == "provider_key_sent"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}, {"authorization": "Bearer"}])
async def test_without_a_key_it_is_said_how_to_send_one(house: House, headers: dict[str, str]) -> None:
    said = await house.post("/v1/messages", body("anthropic"), "", headers)
    assert (said.status, said.code) == (401, "missing_api_key")
    assert said.error["type"] == "authentication_error"


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "x-goog-api-key"])
async def test_a_key_is_found_in_every_usual_header_also_beside_an_empty_bearer(house: House, name: str) -> None:
    key = await house.key()
    for more in ({}, {"authorization": "Bearer "}):
        said = await house.post("/v1/chat/completions", chat(), "", {name: key, **more})
        assert said.status == 200


BAD_BODIES = {
    "empty": (b"", "malformed_json"),
    "a list": (b"[]", "malformed_json"),
    "cut": (b'{"model":"gpt-4o-mini","messages":[', "malformed_json"),
    "NaN": (b'{"model":"gpt-4o-mini","x":NaN}', "malformed_json"),
    "infinite": (b'{"model":"gpt-4o-mini","x":1e999}', "malformed_json"),
    "lone surrogate": (b'{"model":"gpt-4o-mini","x":"\\ud800"}', "malformed_json"),
    "no UTF-8": (b'{"model":"gpt-4o-mini","x":"\xff"}', "malformed_json"),
    "deep lists": (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "malformed_json"),
    "deep objects": (b'{"a":' * 5000 + b"1" + b"}" * 5000, "malformed_json"),
    "no model": (b'{"messages":[{"role":"user","content":"x"}],"input":"x","max_tokens":1}', "invalid_parameter"),
    "model of the wrong type": (
        b'{"model":7,"messages":[{"role":"user","content":"x"}],"input":"x","max_tokens":1}',
        "invalid_parameter",
    ),
    "long model": (
        json.dumps({"model": "m" * 300, "messages": HI, "input": "x", "max_tokens": 1}).encode(),
        "invalid_parameter",
    ),
    "unknown model": (
        json.dumps({"model": "gtp-4o-mini", "messages": HI, "input": "x", "max_tokens": 1}).encode(),
        "model_not_found",
    ),
    "zero cap": (
        b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}],"input":"x","max_tokens":0,"max_output_tokens":0}',
        "invalid_parameter",
    ),
    "nothing asked": (b'{"model":"gpt-4o-mini","messages":[],"input":7}', "invalid_parameter"),
}


@pytest.mark.requirement(33)
@pytest.mark.parametrize("dialect", PATHS)
async def test_bad_bodies_are_refused_with_the_reason_and_recorded_once(house: House, dialect: str) -> None:
    key = await house.key()
    for name, (data, code) in BAD_BODIES.items():
        said = await house.post(PATHS[dialect], data, key)
        assert said.code == code, (name, said.text)
        assert said.status == (404 if code == "model_not_found" else 400)
        assert ("type" in said.tree) is (dialect == "anthropic")
        assert said.headers["x-request-id"] in said.text
        if code == "malformed_json":
            place = said.error["details"] if dialect == "anthropic" else said.error
            assert place["line"] >= 1
            assert place["column"] >= 1
    rows = await house.rows()
    house.check(rows)
    assert [row["code"] for row in rows] == [code for _, code in BAD_BODIES.values()]
    assert {row["outcome"] for row in rows} == {"refused"}
    assert house.simulators["primary"].invoice.requests == 0


async def test_a_mistyped_model_is_answered_with_the_nearest_name(house: House) -> None:
    said = await house.post("/v1/chat/completions", chat("gtp-4o-mini"), await house.key())
    assert "gpt-4o-mini" in said.error["fix"]


@pytest.mark.parametrize("dialect", PATHS)
async def test_a_body_of_one_byte_too_many_is_refused_and_the_largest_one_is_not(house: House, dialect: str) -> None:
    key = await house.key()
    whole = json.dumps(body(dialect, metadata={"pad": ""})).encode()
    exact = whole.replace(b'"pad": ""', b'"pad": "%b"' % (b"x" * (SMALL - len(whole))))
    assert len(exact) == SMALL
    assert (await house.post(PATHS[dialect], exact, key)).status == 200
    said = await house.post(PATHS[dialect], exact + b" ", key)
    assert (said.status, said.code) == (413, "body_too_large")
    assert said.error["type"] == ("request_too_large" if dialect == "anthropic" else "invalid_request_error")
    assert len(await house.rows()) == 1


async def test_of_a_repeated_member_the_last_one_is_what_is_checked_and_sent(house: House) -> None:
    key = await house.key(models=("gpt-4o-mini",))
    data = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}],"model":"gpt-4o"}'
    said = await house.post("/v1/chat/completions", data, key)
    assert (said.status, said.code) == (403, "model_not_allowed")
    data = b'{"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"model":"gpt-4o-mini"}'
    said = await house.post("/v1/chat/completions", data, key)
    assert said.headers["x-clavero-model"] == said.tree["model"] == "gpt-4o-mini"


async def test_thinking_that_leaves_no_room_is_refused_with_the_reason(house: House) -> None:
    key = await house.key()
    thinking = {"type": "enabled", "budget_tokens": 2000}
    said = await house.post("/v1/messages", body("anthropic", thinking=thinking, max_tokens=1500), key)
    assert (said.status, said.code) == (400, "invalid_parameter")
    assert "thinking" in said.error["message"]


@pytest.mark.parametrize(
    ("dialect", "more", "what"),
    [
        ("responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"tools": [{"type": "web_search"}]}, "web_search"),
        ("openai", {"web_search_options": {}}, "web_search_options"),
        ("anthropic", {"mcp_servers": [{"url": "https://x"}]}, "mcp_servers"),
        ("openai", {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "file"),
    ],
)
async def test_what_cannot_be_bounded_is_refused_under_a_budget(
    house: House, dialect: str, more: dict[str, Any], what: str
) -> None:
    key = await house.key()
    await house.budget("5")
    said = await house.post(PATHS[dialect], body(dialect, **more), key)
    assert (said.status, said.code) == (400, "unbounded_input")
    assert what in said.error["message"]
    assert house.simulators["primary"].invoice.requests == 0


async def test_paths_and_methods_that_do_not_exist_are_told_in_the_caller_s_dialect(house: House) -> None:
    key = await house.key()
    openai = await house.post("/v1/nowhere", {}, key)
    anthropic = await house.post("/v1/nowhere", {}, key, {"anthropic-version": "2023-06-01"})
    method = await house.get("/v1/chat/completions", key)
    assert (openai.status, anthropic.status, method.status) == (404, 404, 405)
    assert method.headers["allow"] == "POST"
    assert anthropic.tree["type"] == "error"
    assert openai.code == anthropic.code == "endpoint_not_found"
    assert await house.rows() == []
