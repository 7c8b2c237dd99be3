"""Legs under holds: the cap that goes upstream, what a budget lets through, and where a refusal comes from."""

import asyncio
import json
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, chat

from clavero.domain.budgets import Policy, Subject
from clavero.domain.credentials import ProviderKind
from clavero.ports.ledger import Lender
from clavero.simulator.faults import Fault
from clavero.testing.faults import JSON, answer, serve_faults

ANSWER = json.dumps(
    {
        "id": "c1",
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    }
).encode()


class Away:
    """A lender whose database is away."""

    def __init__(self, inner: Lender) -> None:
        self._inner = inner

    def register(self, boot: Any, worker: str) -> int:
        raise ConnectionError("away")

    def talk(self, talk: Any) -> Any:
        raise ConnectionError("away")

    def close(self) -> None:
        self._inner.close()


async def sent(house: House, body: dict[str, Any], key: str, path: str = "/v1/chat/completions") -> dict[str, Any]:
    """What the provider is sent for a body."""
    async with serve_faults(answer(ANSWER)) as server:
        name = f"own{len(house.query('select * from provider'))}"
        await house.provider(name, server.origin, ["none"], ProviderKind.OPENAI)
        said = await house.post(path, body | {"model": f"{name}/{body['model']}"}, key)
        assert said.status == 200, said.text
        tree = json.loads(server.asked[0].body)
        assert isinstance(tree, dict)
        return tree


async def test_the_cap_is_written_under_the_parameter_that_the_model_knows(house: House) -> None:
    key = await house.key(default_output_tokens=700)
    await house.budget("5")
    unasked = await sent(house, chat("gpt-4o-mini"), key)
    assert unasked["max_tokens"] == 700
    renamed = await sent(house, chat("gpt-4o", max_tokens=50), key)
    assert renamed["max_completion_tokens"] == 50
    assert "max_tokens" not in renamed
    most = await sent(house, chat("gpt-4o-mini", max_tokens=100_000), key)
    assert most["max_tokens"] == 16_384  # the model's own maximum


async def test_without_a_budget_nothing_is_capped_that_nobody_capped(house: House) -> None:
    key = await house.key()
    tree = await sent(house, chat("gpt-4o-mini"), key)
    assert not {"max_tokens", "max_completion_tokens"} & tree.keys()


async def test_a_budget_that_does_not_fit_the_asked_worst_case_refuses_and_says_what_is_left(house: House) -> None:
    key = await house.key()
    await house.budget("0.05")
    said = await house.post("/v1/chat/completions", chat("gpt-4o", max_tokens=16_000), key)  # $0.16 of output
    assert (said.status, said.code) == (429, "insufficient_quota")
    assert said.error["limit_source"] == "team/apps"
    assert float(said.error["limit_usd"]) == 0.05
    assert said.headers["x-should-retry"] == "false"
    assert house.simulators["primary"].invoice.requests == 0
    row = await house.last()
    assert (row["outcome"], row["code"], row["cost_n"]) == ("refused", "insufficient_quota", 0)


async def test_a_clamping_budget_lowers_the_cap_tells_it_and_writes_it_upstream(house: House) -> None:
    key = await house.key()
    await house.budget("0.05", policy=Policy.CLAMP)
    said = await house.post(
        "/v1/chat/completions",
        chat("gpt-4o", max_tokens=16_000, messages=[{"role": "user", "content": "Write 9000 words"}]),
        key,
    )
    assert said.status == 200
    cap = int(said.headers["x-clavero-output-cap"])
    assert 256 <= cap < 5000
    row = await house.last()
    assert row["output_cap"] == cap
    assert row["output"] <= cap
    assert row["cost_n"] <= row["held_n"] <= 50_000_000


async def test_all_budgets_of_a_call_are_held_together(house: House) -> None:
    key = await house.key()
    wide = await house.budget("5", Subject.ORGANISATION, "default")
    await house.budget("5")
    tight = await house.budget("0.000001", Subject.KEY, "prod-app-chat-01")
    said = await house.post("/v1/chat/completions", chat(max_tokens=100), key)
    assert (said.status, said.code) == (429, "insufficient_quota")
    assert said.error["limit_source"].startswith("key/")
    assert (await house.last())["amounts"] == "[]"
    assert house.posted().get(wide.id, 0) == house.posted().get(tight.id, 0) == 0


async def test_a_fallback_takes_a_hold_of_its_own_and_may_be_refused_one(house: House) -> None:
    await house.simulated("second", ["none"])
    await house.model("prod-chat", "primary", "gpt-4o-mini", "second/gpt-4o")
    key = await house.key()
    await house.budget("0.02")  # the small model's worst case fits, the large one's does not
    house.simulators["primary"].faults.plan(Fault.UNAVAILABLE, times=0)
    said = await house.post("/v1/chat/completions", chat("prod-chat", max_tokens=16_000), key)
    assert (said.status, said.code) == (429, "insufficient_quota")
    assert house.simulators["second"].invoice.requests == 0
    rows = await house.rows()
    assert [row["final"] for row in rows] == [0, 0, 0, 1]
    house.check(rows)


async def test_with_the_database_away_callers_are_told_so_and_never_that_their_key_is_bad(house: House) -> None:
    key = await house.key()
    other = await house.key("prod-free-chat-01", team="free", project="free")
    await house.budget("5")
    bank = house.plugs.bank
    real, bank._lender = bank._lender, Away(bank._lender)
    said = await house.post("/v1/chat/completions", chat(), key)
    assert (said.status, said.code) == (503, "ledger_unavailable")
    assert int(said.headers["retry-after"]) >= 1
    assert (await house.post("/v1/chat/completions", chat(), other)).status == 200  # no budget, no ledger
    bank._lender = real
    await house.until(lambda: not bank._away)
    assert (await house.post("/v1/chat/completions", chat(), key)).status == 200
    assert [row["code"] for row in await house.rows()] == ["ledger_unavailable", "", ""]


@pytest.mark.requirement(48)
async def test_retry_after_of_a_429_that_stays_reaches_the_caller(house: House) -> None:
    house.simulators["primary"].faults.plan(Fault.RATE_LIMITED, 60, times=0)
    said = await house.post("/v1/chat/completions", chat(), await house.key())
    assert (said.status, said.code) == (429, "upstream_rate_limited")
    assert said.headers["retry-after"] == "60"
    assert house.simulators["primary"].invoice.requests == 1  # a minute is longer than anybody waits


@pytest.mark.parametrize(("status", "calls"), [(409, 2), (408, 2), (422, 1), (404, 1), (501, 1)])
async def test_of_what_a_provider_refuses_only_what_may_pass_later_is_tried_again(
    house: House, status: int, calls: int
) -> None:
    body = b'{"error":{"message":"no","type":"invalid_request_error"}}'
    async with serve_faults(answer(body, status, [JSON]), answer(ANSWER)) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/chat/completions", chat("mine-1"), await house.key())
        assert len(server.asked) == calls
        assert (said.status == 200) is (calls == 2)


async def test_a_provider_s_refusal_keeps_its_status_and_words(house: House) -> None:
    body = b'{"error":{"message":"temperature is too hot","type":"invalid_request_error"}}'
    async with serve_faults(answer(body, 422, [JSON])) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/messages", {"model": "own/x", "messages": HI, "max_tokens": 9}, await house.key())
        assert (said.status, said.code) == (422, "upstream_refused")
        assert "temperature is too hot" in said.error["message"]


async def test_connections_to_a_provider_are_used_again(house: House) -> None:
    async with serve_faults(answer(ANSWER)) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        key = await house.key()
        for _ in range(5):
            await house.post("/v1/chat/completions", chat("mine-1"), key)
        assert (len(server.asked), server.connections) == (5, 1)


async def test_a_provider_that_cannot_be_reached_is_an_upstream_error_that_costs_nothing(house: House) -> None:
    async with serve_faults(answer(ANSWER)) as server:
        gone = server.origin
    await house.provider("gone", gone, ["mine*"], ProviderKind.OPENAI_LIKE)
    await house.budget("5", Subject.ORGANISATION, "default")
    key = await house.key()
    said = await house.post("/v1/chat/completions", chat("gone/gpt-4o-mini"), key)
    assert said.status in {403, 502}
    rows = await house.rows()
    assert {row["cost_n"] for row in rows} == {0}
    house.check(rows)


async def test_eight_calls_without_a_cap_share_a_dollar_at_fifteen_a_million(house: House) -> None:
    """Each asks for 4,096 tokens of $15 a million: sixteen would fit, so all eight are let in."""
    await house.simulated("anthropic", ["none"], kind=ProviderKind.ANTHROPIC)
    key = await house.key()
    await house.budget("1")
    body = {"model": "anthropic/claude-sonnet-4-5", "messages": HI}
    said = await asyncio.gather(*(house.post("/v1/chat/completions", body, key) for _ in range(8)))
    assert [one.status for one in said] == [200] * 8
    house.check(await house.rows())


async def test_concurrent_calls_never_spend_more_than_the_budget(house: House) -> None:
    key = await house.key()
    budget = await house.budget("0.02")
    body = chat("gpt-4o", max_tokens=200, messages=[{"role": "user", "content": "Write 200 words"}])
    said = await asyncio.gather(*(house.post("/v1/chat/completions", body, key) for _ in range(30)))
    assert {one.status for one in said} <= {200, 429, 503}
    assert 200 in {one.status for one in said}
    rows = await house.rows()
    house.check(rows)
    assert house.posted()[budget.id] <= 20_000_000
    assert len([row for row in rows if row["final"]]) == 30
