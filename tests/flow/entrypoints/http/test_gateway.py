"""The rim of the data plane: paths, health, dialects and languages around a running gateway."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.gateway.house import HI, House, chat, open_house

from clavero.domain.errors import MissingApiKey
from clavero.entrypoints.http.gateway import Rim
from clavero.ports.client import Request
from clavero.simulator.faults import Fault


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with one provider."""
    async with open_house(tmp_path / "data") as house:
        await house.simulated()
        yield house


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_health_needs_no_key_and_costs_nothing(house: House, path: str) -> None:
    said = await house.get(path)
    assert (said.status, said.text) == (200, "ok\n")
    head = await (await house.begin(path, method="HEAD")).end()
    assert (head.status, head.body) == (200, b"")
    assert house.simulators["primary"].invoice.requests == 0
    assert await house.rows() == []


async def test_a_worker_that_the_ledger_gave_up_is_not_ready(house: House) -> None:
    house.plugs.bank.fenced = True
    said = await house.get("/health/ready")
    assert (said.status, said.text) == (503, "not ready\n")
    assert (await house.get("/health/live")).status == 200


async def test_the_root_answers_agents_that_ask_for_it_first(house: House) -> None:
    assert (await (await house.begin("/", method="HEAD")).end()).status == 200
    assert (await house.get("/")).text == "clavero\n"


@pytest.mark.parametrize(("language", "word"), [("en", "key"), ("es", "clave"), ("es-MX,en;q=0.5", "clave")])
async def test_an_error_speaks_the_caller_s_language(house: House, language: str, word: str) -> None:
    said = await house.post("/v1/chat/completions", chat(), "", {"accept-language": language})
    assert said.status == 401
    assert word in said.error["message"].lower()
    assert said.headers["content-language"] == language[:2]
    assert said.error["doc_url"].endswith("/missing_api_key")


@pytest.mark.parametrize(
    ("path", "body", "shape"),
    [
        ("/v1/chat/completions", chat(stream=True), {"error"}),
        ("/v1/responses", {"model": "gpt-4o-mini", "input": "x", "stream": True}, {"type", "code", "message"}),
        (
            "/v1/messages",
            {"model": "claude-sonnet-4-5", "messages": HI, "max_tokens": 90, "stream": True},
            {"type", "error", "request_id"},
        ),
    ],
)
async def test_an_error_within_a_stream_has_the_shape_that_its_sdk_raises_on(
    house: House, path: str, body: dict[str, object], shape: set[str]
) -> None:
    house.simulators["primary"].faults.plan(Fault.CUT)
    said = await house.post(path, body, await house.key())
    assert shape <= said.events[-1].keys()
    assert said.headers["x-request-id"] in said.text.rsplit("data: ", 1)[-1]


async def test_before_a_worker_is_ready_nothing_but_health_answers() -> None:
    rim = Rim("http://127.0.0.1/errors")
    heard: list[int] = []

    class Caller:
        def reply(self, status: int, *_: object) -> None:
            heard.append(status)

    for path in ("/health/live", "/health/ready", "/v1/chat/completions"):
        request = Request("r", "GET", path, {}, b"", "127.0.0.1", 0, 0)
        await rim.handle(request, Caller())  # type: ignore[arg-type] # nothing else is called
    assert heard == [200, 503, 503]
    assert rim.refuse(MissingApiKey(), None)[0] == 401


async def test_models_are_listed_and_found_without_any_cost(house: House) -> None:
    key = await house.key(models=("gpt-*",))
    listed = await house.get("/v1/models", key)
    assert "gpt-4o-mini" in [row["id"] for row in listed.tree["data"]]
    assert not [row for row in listed.tree["data"] if row["id"].startswith("claude")]
    one = await house.get("/v1/models/gpt-4o-mini", key)
    assert one.tree["id"] == "gpt-4o-mini"
    theirs = await house.get("/v1/models", "", {"x-api-key": key, "anthropic-version": "2023-06-01"})
    assert {row["type"] for row in theirs.tree["data"]} == {"model"}
    missing = await house.get("/v1/models/claude-sonnet-4-5", "", {"x-api-key": key, "anthropic-version": "1"})
    assert (missing.status, missing.code) == (404, "model_not_found")
    assert (await house.get("/v1/models")).status == 401
    rows = await house.rows()
    assert [(row["endpoint"], row["cost_n"], row["outcome"]) for row in rows] == [
        ("models", 0, "ok"), ("models", 0, "ok"), ("models", 0, "ok"), ("models", 0, "refused"),
    ]  # fmt: skip
