"""One kind of route skipped the budget: an Azure-style path, a passthrough, batches, vector stores (BerriAI/litellm#12977,
BerriAI/litellm#36071, BerriAI/litellm#16303; maximhq/bifrost#2873).

Every path that takes a body is driven under a budget that has nothing left; a path that is added is driven too.
"""

from pathlib import Path
from typing import Any

from tests.flow.gateway.house import HI, open_house

from clavero.domain.endpoints import Endpoint
from clavero.entrypoints.http.paths import TABLE

BODIES: dict[Endpoint, dict[str, Any]] = {
    Endpoint.CHAT: {"model": "gpt-4o-mini", "messages": HI},
    Endpoint.RESPONSES: {"model": "gpt-4o-mini", "input": "x"},
    Endpoint.EMBEDDINGS: {"model": "text-embedding-3-small", "input": "x"},
    Endpoint.MESSAGES: {"model": "claude-sonnet-4-5", "messages": HI, "max_tokens": 20},
    Endpoint.COUNT_TOKENS: {"model": "claude-sonnet-4-5", "messages": HI},
}
FREE = {Endpoint.COUNT_TOKENS}  # providers take nothing for it
POSTED = [(path, place.endpoint) for path, place in TABLE.items() if "POST" in place.methods]


async def test_no_path_costs_anything_once_the_budget_is_spent(tmp_path: Path) -> None:
    assert {endpoint for _, endpoint in POSTED} == BODIES.keys()
    async with open_house(tmp_path / "data") as house:
        simulator = await house.simulated()
        key = await house.key()
        await house.budget("0")
        asked = 0
        for path, endpoint in POSTED:
            for stream in ({}, {"stream": True}) if endpoint not in FREE | {Endpoint.EMBEDDINGS} else ({},):
                said = await house.post(path, BODIES[endpoint] | stream, key)
                asked += 1
                if endpoint in FREE:
                    assert said.status == 200, path
                else:
                    assert (said.status, said.code) == (429, "insufficient_quota"), path
        assert simulator.invoice.requests == len([path for path, endpoint in POSTED if endpoint in FREE])
        assert house.posted().get("team/apps:day", 0) == 0
        rows = await house.rows()
        assert len(rows) == asked
        assert sum(row["cost_n"] for row in rows) == 0
