"""Every end writes exactly one final row, and the rows' sums are the ledger's."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, chat

from clavero.domain.credentials import ProviderKind
from clavero.domain.errors import KeyRevoked
from clavero.domain.pricing import Price
from clavero.ports.journal import Journal
from clavero.simulator.faults import Fault
from clavero.testing.faults import serve_faults, stream
from clavero.wire.journal import Frame, Hold

LONG = [{"role": "user", "content": "Please write 400 words."}]


class Brimful:
    """A journal whose disk is full: `holds_refused` from the start, or only once a hold's frame is to be written."""

    def __init__(self, inner: Journal, *, known: bool) -> None:
        self._inner = inner
        self.holds_refused = known

    @property
    def written(self) -> int:
        return self._inner.written

    def append(
        self, frame: Frame, then: Callable[[], None] | None = None, failed: Callable[[], None] | None = None
    ) -> None:
        if isinstance(frame, Hold):
            assert failed is not None
            asyncio.get_running_loop().call_soon(failed)
        else:
            self._inner.append(frame, then, failed)

    def close(self, now_ns: int) -> None:
        self._inner.close(now_ns)


async def slow(house: House) -> None:
    """A provider that takes its time for each token."""
    await house.simulated("slow", ["none"], token=0.02)


@pytest.mark.requirement(1)
async def test_refusals_faults_cuts_and_answers_each_write_one_final_row(house: House) -> None:
    key = await house.key(models=("gpt-*", "nothing-*"))
    await house.budget("5")
    faults = house.simulators["primary"].faults
    ends = [
        (chat(), None, "ok", ""),
        (chat("nothing-1"), None, "refused", "model_not_found"),
        (chat("claude-sonnet-4-5"), None, "refused", "model_not_allowed"),
        ({"model": "gpt-4o-mini"}, None, "refused", "invalid_parameter"),
        (b'{"model":', None, "refused", "malformed_json"),
        (chat(stream=True), Fault.CUT, "partial", "stream_interrupted"),
        (chat(), Fault.CONTENT_FILTER, "failed", "content_filter"),
        (chat(stream=True), None, "ok", ""),
    ]
    for body, fault, _, _ in ends:
        if fault:
            faults.plan(fault)
        await house.post("/v1/chat/completions", body, key)
    rows = await house.rows()
    house.check(rows)
    told = [(row["outcome"], row["code"]) for row in rows if row["final"]]
    assert told == [(outcome, code) for _, _, outcome, code in ends]
    assert not len(house.plugs.under_way)


@pytest.mark.requirement(29)
async def test_a_caller_that_leaves_mid_stream_stops_the_provider_and_is_charged_what_was_seen(house: House) -> None:
    await slow(house)
    key = await house.key()
    budget = await house.budget("5")
    call = await house.begin("/v1/chat/completions", chat("slow/gpt-4o", stream=True, messages=LONG), key)
    await call.until(b'"content"')
    await asyncio.sleep(0.1)
    await call.leave()
    await house.until(lambda: house.simulators["slow"].invoice.left == 1)
    row = await house.last()
    assert (row["outcome"], row["estimated"], row["flag"], row["streamed"]) == ("left", 1, "partial", 1)
    seen = call.raw.count(b'"content"')
    assert seen - 1 <= row["output"] < 100
    billed = house.simulators["slow"].invoice.total.output
    assert abs(row["output"] - billed) <= 3
    assert house.posted() == {budget.id: row["cost_n"]}
    assert row["cost_n"] == row["input"] * 2500 + row["output"] * 10_000


async def test_a_caller_that_leaves_before_the_answer_is_recorded_as_left(house: House) -> None:
    house.simulators["primary"].faults.plan(Fault.LATE, 5)
    key = await house.key()
    await house.budget("5")
    call = await house.begin("/v1/chat/completions", chat(), key)
    await house.until(lambda: house.simulators["primary"].invoice.requests)
    await call.leave()
    await house.until(lambda: house.simulators["primary"].invoice.left)
    row = await house.last()
    assert (row["outcome"], row["status"], row["estimated"]) == ("left", 0, 1)
    assert row["cost_n"] > 0


async def test_a_caller_that_leaves_between_two_attempts_is_recorded_once(house: House) -> None:
    house.simulators["primary"].faults.plan(Fault.RATE_LIMITED, 5)
    key = await house.key()
    await house.budget("5")
    call = await house.begin("/v1/chat/completions", chat(), key)
    await house.until(lambda: house.simulators["primary"].invoice.requests)
    await asyncio.sleep(0.05)
    await call.leave()
    await house.until(lambda: not len(house.plugs.under_way))
    first, last = await house.rows()
    assert (first["final"], first["code"]) == (0, "upstream_rate_limited")
    assert (last["final"], last["outcome"], last["cost_n"]) == (1, "left", 0)
    assert house.simulators["primary"].invoice.requests == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_full_disk_refuses_the_hold_and_not_the_record(house: House, *, known: bool) -> None:
    key = await house.key()
    await house.budget("5")
    journal = house.plugs.journal
    house.plugs.journal = Brimful(journal, known=known)
    said = await house.post("/v1/chat/completions", chat(), key)
    assert (said.status, said.code) == (503, "storage_full")
    assert int(said.headers["retry-after"]) > 0
    assert house.simulators["primary"].invoice.requests == 0
    house.plugs.journal = journal
    assert (await house.post("/v1/chat/completions", chat(), key)).status == 200
    rows = await house.rows()
    assert next((row["outcome"], row["code"]) for row in rows if row["final"]) == ("refused", "storage_full")
    house.check(rows)


async def test_an_unpriced_model_is_refused_under_a_budget_and_recorded_without_one(house: House) -> None:
    key = await house.key()
    free = await house.post("/v1/chat/completions", chat("gpt-5"), key)
    assert free.status == 200
    assert "x-clavero-cost" not in free.headers  # unpriced is a state, not zero
    row = await house.last()
    assert (row["cost_n"], row["price_version"], row["output"] > 0) == (0, "", True)
    await house.budget("5")
    refused = await house.post("/v1/chat/completions", chat("gpt-5"), key)
    assert (refused.status, refused.code) == (403, "unpriced_model")
    assert (await house.last())["outcome"] == "refused"
    assert house.simulators["primary"].invoice.requests == 1


async def test_a_provider_that_tells_no_usage_is_charged_an_estimate(house: House) -> None:
    key = await house.key()
    await house.budget("5")
    house.simulators["primary"].faults.plan(Fault.NO_USAGE, times=2)
    await house.post("/v1/chat/completions", chat(), key)
    await house.post("/v1/chat/completions", chat(stream=True), key)
    plain, streamed = await house.rows()
    assert plain["estimated"] == streamed["estimated"] == 1
    assert plain["flag"] == streamed["flag"] == "estimated"
    assert min(plain["cost_n"], streamed["cost_n"]) > 0
    house.check([plain, streamed])


async def test_a_provider_that_bills_beyond_the_cap_posts_whole_and_is_flagged(house: House) -> None:
    key = await house.key()
    await house.budget("5")
    house.simulators["primary"].faults.plan(Fault.OVERRUN, 50_000)
    await house.post("/v1/chat/completions", chat(max_tokens=10), key)
    row = await house.last()
    assert (row["output"], row["flag"]) == (50_000, "overrun")
    assert row["cost_n"] > row["held_n"]


async def test_what_the_provider_reports_in_the_caller_s_absence_of_text_is_not_lost(house: House) -> None:
    """A stream whose connection breaks behind its last event was whole."""
    events = [
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]},
        {"id": "c", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}},
    ]
    data = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n"
    async with serve_faults(stream(data, end=False)) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        said = await house.post("/v1/chat/completions", chat("mine-1", stream=True), await house.key())
    assert said.clean
    assert said.text.endswith("data: [DONE]\n\n")
    row = await house.last()
    assert (row["outcome"], row["input"], row["output"]) == ("ok", 5, 4)


async def test_an_end_from_outside_while_money_is_waited_for_lets_no_call_leave(house: House) -> None:
    key = await house.key()
    await house.budget("5")
    waiting, go = asyncio.Event(), asyncio.Event()
    bank = house.plugs.bank
    real = bank.wait

    async def wait(*given: Any) -> Any:
        waiting.set()
        await go.wait()
        return await real(*given)

    bank.wait = wait  # type: ignore[method-assign,assignment] # to be in its midst
    call = await house.begin("/v1/chat/completions", chat(), key)
    await asyncio.wait_for(waiting.wait(), 5)
    for trail in house.plugs.under_way:
        trail.stop(KeyRevoked(owner="asha"))
    go.set()
    said = await call.end()
    assert (said.status, said.code) == (401, "key_revoked")
    assert house.simulators["primary"].invoice.requests == 0
    row = await house.last()
    assert (row["outcome"], row["code"], row["cost_n"]) == ("refused", "key_revoked", 0)


async def test_messages_are_recorded_with_cached_tokens_at_their_own_price(house: House) -> None:
    house.plugs.view.apply(
        house.plugs.view.seq,
        Price,
        ["anthropic/claude-sonnet-4-5"],
        [
            Price(
                id="anthropic/claude-sonnet-4-5", version="x", input=3_000_000_000, output=15_000_000_000,
                cached=300_000_000, cache_write=3_750_000_000,
            )
        ],
    )  # fmt: skip
    key = await house.key()
    system = [{"type": "text", "text": "word " * 3000, "cache_control": {"type": "ephemeral"}}]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 20, "messages": HI, "system": system}
    for _ in range(2):
        assert (await house.post("/v1/messages", body, key)).status == 200
    first, second = await house.rows()
    assert first["cache_write"] > 1000
    assert second["cached"] == first["cache_write"]
    assert second["cost_n"] == second["input"] * 3000 + second["cached"] * 300 + second["output"] * 15_000
