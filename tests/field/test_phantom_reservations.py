"""Money stayed reserved for calls that were over, and others were refused for it (BerriAI/litellm#27639,
BerriAI/litellm#30522, BerriAI/litellm#36926).

A crowd of calls meets every fault at random, some callers leave, one key is revoked in the midst. Afterwards nothing is
held, and the rows say to the nano-dollar what the ledger has posted.
"""

import asyncio
import contextlib
import json
from pathlib import Path
from random import Random  # noqa: TID251 - a seed, so that a crowd that fails can be met again
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, another_worker, chat, open_house

from clavero.control import keys
from clavero.control.commit import perform
from clavero.domain.access import SYSTEM
from clavero.simulator.faults import Fault

WORDS = [{"role": "user", "content": "Write 60 words."}]
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", chat("prod-chat", messages=WORDS)),
    ("/v1/chat/completions", chat("prod-chat", messages=WORDS, stream=True)),
    ("/v1/chat/completions", chat("gpt-4o", messages=WORDS, stream=True, max_tokens=40)),
    ("/v1/responses", {"model": "gpt-4o-mini", "input": "Write 60 words.", "stream": True}),
    ("/v1/messages", {"model": "claude-haiku-4-5", "messages": HI, "max_tokens": 50, "stream": True}),
    ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
]


async def one(house: House, key: str, chance: Random) -> None:
    """One call; its caller may leave at any moment."""
    await asyncio.sleep(chance.uniform(0, 0.5))
    path, body = chance.choice(BODIES)
    call = await house.begin(path, body, key)
    if chance.random() < 0.25:
        with contextlib.suppress(AssertionError):
            await call.until(chance.choice([b"delta", b"HTTP", b"usage"]))
        await call.leave()
    else:
        await call.end()


@pytest.mark.requirement(1)
async def test_after_a_crowd_of_bad_ends_nothing_is_held(tmp_path: Path) -> None:
    chance = Random(1)
    async with open_house(tmp_path / "data", upstream__first_byte_seconds=0.3, upstream__idle_seconds=0.3) as first:
        simulator = await first.simulated(token=0.002)
        await first.simulated("second", ["none"])
        await first.model("prod-chat", "primary", "gpt-4o-mini", "second/gpt-4o-mini")
        good, bad = await first.key(), await first.key("prod-app-chat-02")
        await first.budget("0.5")
        async with another_worker(first) as house:
            for _ in range(60):
                simulator.faults.plan(chance.choice(list(Fault)), chance.choice([None, 1.0, 3.0]))
            calls = [one(house, chance.choice([good, bad]), chance) for _ in range(120)]
            crowd = asyncio.gather(*calls)
            await asyncio.sleep(0.3)
            await perform(first.desk, SYSTEM, keys.revoke, name="prod-app-chat-02", reason="leaked")
            async with asyncio.timeout(20):
                await crowd
            await house.until(lambda: not len(house.plugs.under_way))
            assert not [line for line in house.logged if line.startswith("failure")]
        rows = await first.rows()
        first.check(rows)
        assert len([row for row in rows if row["final"]]) + house.plugs.tally.refused.get("key_revoked", 0) == 120
        assert {"ok", "left"} <= {row["outcome"] for row in rows}
        ledger = first.query("select * from ledger")
        assert ledger
        assert not [row for row in ledger if row["leased"] or row["lost"]]
        assert first.query("select * from open_hold") == []
        assert all(json.loads(row["amounts"]) or not row["cost_n"] for row in rows)
