"""A caller that went away mid-stream was refunded or never charged (QuantumNous/new-api#5235, ferro-labs/ai-gateway#281,
higress#4145), and the provider went on generating for nobody (vercel/ai#8325).
"""

import asyncio
from pathlib import Path

import pytest
from tests.flow.gateway.house import HI, chat, open_house

LONG = [{"role": "user", "content": "Please write 400 words."}]


@pytest.mark.requirement(29)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", chat(stream=True, messages=LONG)),
        ("/v1/responses", {"model": "gpt-4o-mini", "input": "Please write 400 words.", "stream": True}),
        ("/v1/messages", {"model": "claude-haiku-4-5", "messages": LONG, "stream": True, "max_tokens": 900}),
    ],
)
async def test_what_was_streamed_to_a_caller_who_left_is_charged_and_no_more_is_made(
    tmp_path: Path, path: str, body: dict[str, object]
) -> None:
    assert HI
    async with open_house(tmp_path / "data") as house:
        simulator = await house.simulated(token=0.01)
        key = await house.key()
        budget = await house.budget("5")
        call = await house.begin(path, body, key)
        await call.until(b"delta")
        await asyncio.sleep(0.15)
        await call.leave()
        await house.until(lambda: simulator.invoice.left == 1)
        row = await house.last()
        assert (row["outcome"], row["flag"]) == ("left", "partial")
        assert 5 <= row["output"] < 200
        assert house.posted()[budget.id] == row["cost_n"] > 0
        assert simulator.invoice.total.output <= row["output"] + 10
