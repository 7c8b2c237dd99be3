"""The sixteen faults of the public Failover Bench, as far as they need no breaker and no held-back streams.

The deadlines are shortened by the same factor everywhere. None may hang, and none may end as a success that is none.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.gateway.house import House, Said, chat, open_house

from clavero.domain.attempts import Rules
from clavero.domain.credentials import ProviderKind
from clavero.simulator.faults import Fault

MODEL = "prod-chat"
PATIENCE = 1.5  # seconds; a busy machine may take one of them to answer at all


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Two providers; the model falls back from the small one of the first to the large one of the second."""
    async with open_house(
        tmp_path / "data", upstream__first_byte_seconds=PATIENCE, upstream__idle_seconds=PATIENCE
    ) as house:
        await house.simulated("primary", ["gpt-*"])
        await house.simulated("second", ["none"])
        await house.model(MODEL, "primary", "gpt-4o-mini", "second/gpt-4o")
        yield house
    assert not [line for line in house.logged if line.startswith("failure")]


def fault(house: House, kind: Fault, value: float | None = None, times: int = 0) -> None:
    house.simulators["primary"].faults.plan(kind, value, times=times)


async def ask(house: House, *, stream: bool = False, **more: object) -> Said:
    """One call under a budget, so that every leg takes its own hold."""
    key = await house.key()
    await house.budget("5")
    async with asyncio.timeout(20):
        return await house.post("/v1/chat/completions", chat(MODEL, stream=stream, **more), key)


def asked(house: House) -> tuple[int, int]:
    """How many calls each provider met."""
    return house.simulators["primary"].invoice.requests, house.simulators["second"].invoice.requests


async def served_by_fallback(house: House, said: Said) -> None:
    assert said.status == 200
    assert said.clean
    assert said.headers["x-clavero-provider"] == "second"
    assert said.headers["x-clavero-model"] == "gpt-4o"
    row = await house.last()
    assert (row["model_asked"], row["model_served"], row["provider"]) == (MODEL, "gpt-4o", "second")
    assert (row["outcome"], row["code"]) == ("ok", "")
    assert row["cost_n"] == row["input"] * 2500 + row["output"] * 10_000


async def cut_openly(house: House, said: Said, code: str = "stream_interrupted") -> None:
    """The caller has part of the text, and an error that says so."""
    assert said.status == 200
    assert said.words
    assert said.code == code
    assert "[DONE]" not in said.text
    row = await house.last()
    assert (row["outcome"], row["code"], row["status"], row["flag"]) == ("partial", code, 200, "partial")
    assert row["cost_n"] > 0


@pytest.mark.requirement(48)
async def test_s01_one_429_with_retry_after_is_waited_for(house: House) -> None:
    fault(house, Fault.RATE_LIMITED, 1, times=1)
    began = asyncio.get_running_loop().time()
    said = await ask(house)
    assert said.status == 200
    assert asyncio.get_running_loop().time() - began >= 0.9
    assert asked(house) == (2, 0)
    assert said.headers["x-clavero-attempts"] == "2"
    failed, answered = await house.rows()
    assert (failed["final"], failed["cost_n"], failed["code"]) == (0, 0, "upstream_rate_limited")
    assert answered["attempts"].count("gpt-4o-mini") == 2
    house.check([failed, answered])


@pytest.mark.requirement(48)
async def test_s02_429_for_ever_backs_off_and_then_falls_back(house: House) -> None:
    fault(house, Fault.RATE_LIMITED)
    await served_by_fallback(house, await ask(house))
    assert asked(house) == (3, 1)


@pytest.mark.requirement(29)
async def test_s03_one_500_is_tried_once_more_at_the_same_provider(house: House) -> None:
    fault(house, Fault.ERROR, times=1)
    said = await ask(house)
    assert said.headers["x-clavero-provider"] == "primary"
    assert asked(house) == (2, 0)


async def test_s04_503_for_ever_falls_back(house: House) -> None:
    fault(house, Fault.UNAVAILABLE)
    await served_by_fallback(house, await ask(house))
    assert sum(asked(house)) <= 6


async def test_s05_a_reset_before_headers_is_tried_again(house: House) -> None:
    fault(house, Fault.RESET, times=1)
    said = await ask(house)
    assert said.status == 200
    assert sum(asked(house)) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_s06_a_silent_provider_is_given_up_and_not_asked_again(house: House, *, stream: bool) -> None:
    fault(house, Fault.SILENCE)
    await served_by_fallback(house, await ask(house, stream=stream))
    assert asked(house) == (1, 1)
    silent = (await house.rows())[0]
    assert (silent["code"], silent["estimated"], silent["final"]) == ("upstream_timeout", 1, 0)
    assert silent["cost_n"] > 0  # it was sent and may be billed


async def test_s07_a_late_first_token_is_not_waited_for(house: House) -> None:
    fault(house, Fault.LATE, 20)
    await served_by_fallback(house, await ask(house, stream=True))
    assert asked(house) == (1, 1)


async def test_s08_a_cut_stream_ends_in_an_error_and_never_as_a_success(house: House) -> None:
    fault(house, Fault.CUT, 10)
    await cut_openly(house, await ask(house, stream=True))
    assert asked(house) == (1, 0)


async def test_s08_a_cut_plain_answer_is_tried_again(house: House) -> None:
    fault(house, Fault.CUT, times=1)
    said = await ask(house)
    assert said.status == 200
    assert asked(house) == (2, 0)


async def test_s09_a_stall_in_mid_stream_is_bounded(house: House) -> None:
    fault(house, Fault.STALL, 30)
    said = await ask(house, stream=True)
    await cut_openly(house, said, "upstream_timeout")
    assert f"{PATIENCE} s" in said.error["message"]


@pytest.mark.requirement(29)
async def test_s10_a_malformed_chunk_is_skipped(house: House) -> None:
    fault(house, Fault.MALFORMED_CHUNK)
    said = await ask(house, stream=True)
    assert said.clean
    assert said.text.endswith("data: [DONE]\n\n")
    assert "broken" not in said.text
    assert (await house.last())["outcome"] == "ok"


@pytest.mark.parametrize("open_end", [0.0, 1.0])
async def test_s11_a_stream_without_done_ends_soon_with_its_usage(house: House, open_end: float) -> None:
    fault(house, Fault.NO_DONE, open_end)
    said = await ask(house, stream=True, stream_options={"include_usage": True})
    assert said.clean
    told = next(event["usage"] for event in said.events if event.get("usage"))
    row = await house.last()
    assert (row["outcome"], row["estimated"]) == ("ok", 0)
    assert (row["input"], row["output"]) == (told["prompt_tokens"], told["completion_tokens"])


async def test_s12_too_long_a_context_goes_to_the_other_model_and_is_not_sent_twice(house: House) -> None:
    fault(house, Fault.CONTEXT_LENGTH)
    await served_by_fallback(house, await ask(house))
    assert asked(house) == (1, 1)


async def test_s13_a_content_filter_is_not_routed_around(house: House) -> None:
    fault(house, Fault.CONTENT_FILTER)
    said = await ask(house)
    assert (said.status, said.code) == (400, "content_filter")
    assert asked(house) == (1, 0)
    row = await house.last()
    assert (row["outcome"], row["code"], row["cost_n"]) == ("failed", "content_filter", 0)


async def test_s14_a_cut_stream_is_not_continued_by_another_model(house: House) -> None:
    fault(house, Fault.CUT, 10)
    house.simulators["second"].faults.plan(Fault.CONTENT_FILTER, times=0)  # as one that refuses a prefill would
    await cut_openly(house, await ask(house, stream=True))
    assert asked(house) == (1, 0)


async def test_s15_while_the_primary_is_down_all_are_served_and_then_it_is_used_again(house: House) -> None:
    fault(house, Fault.UNAVAILABLE)
    key = await house.key()
    await house.budget("5")
    answers = [await house.post("/v1/chat/completions", chat(MODEL), key) for _ in range(20)]
    assert {said.headers["x-clavero-provider"] for said in answers} == {"second"}
    assert asked(house)[0] <= 20 + 10  # a retry budget, not a retry for each
    house.simulators["primary"].faults.clear()
    said = await house.post("/v1/chat/completions", chat(MODEL), key)
    assert said.headers["x-clavero-provider"] == "primary"
    house.check(await house.rows())


async def test_s16_a_streamed_fallback_reports_its_own_model_and_usage(house: House) -> None:
    fault(house, Fault.UNAVAILABLE)
    said = await ask(house, stream=True, stream_options={"include_usage": True})
    await served_by_fallback(house, said)
    assert {event["model"] for event in said.events} == {"gpt-4o"}
    assert (await house.last())["output"] == said.events[-1]["usage"]["completion_tokens"]


# --- and what the bench does not ask


async def test_a_last_failure_says_how_often_it_was_tried(house: House) -> None:
    fault(house, Fault.ERROR)
    house.simulators["second"].faults.plan(Fault.ERROR, times=0)
    said = await ask(house)
    assert (said.status, said.code) == (502, "upstream_error")
    assert "second failed 6 times" in said.error["message"]
    rows = await house.rows()
    assert [row["final"] for row in rows] == [0] * 6 + [1]
    assert (rows[-1]["outcome"], rows[-1]["estimated"], rows[-1]["status"]) == ("failed", 0, 502)
    house.check(rows)


async def test_a_retry_after_that_is_longer_than_patience_goes_to_the_fallback_at_once(house: House) -> None:
    house.plugs.rules = Rules(per_target=3, base=0.01, cap=0.05, longest_retry_after=5)
    fault(house, Fault.RATE_LIMITED, 60)
    await served_by_fallback(house, await ask(house))
    assert asked(house) == (1, 1)


async def test_a_refused_credential_goes_to_the_fallback_and_is_our_fault_without_one(house: House) -> None:
    fault(house, Fault.KEY_REFUSED)
    await served_by_fallback(house, await ask(house))
    said = await house.post("/v1/chat/completions", chat("gpt-4o-mini"), await house.key("prod-app-chat-02"))
    assert (said.status, said.code) == (502, "upstream_auth_failed")
    assert said.headers["x-should-retry"] == "false"


async def test_a_fallback_that_cannot_be_asked_this_does_not_hide_why_it_was_needed(house: House) -> None:
    await house.simulated("anthropic", ["none"], kind=ProviderKind.ANTHROPIC)
    await house.model(MODEL, "primary", "gpt-4o-mini", "anthropic/claude-haiku-4-5")
    fault(house, Fault.ERROR)
    said = await ask(house, temperature=1.5)  # too much for messages, and fine where it was meant to go
    assert (said.status, said.code) == (502, "upstream_error")
    assert "primary failed 3 times" in said.error["message"]
    rows = await house.rows()
    assert [row["final"] for row in rows] == [0, 0, 0, 1]
    house.check(rows)
