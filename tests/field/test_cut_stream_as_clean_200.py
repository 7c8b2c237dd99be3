"""A stream that its provider cut reached the caller as a clean 200 (Portkey-AI/gateway#1797). End to end, in each
dialect and translated: the caller gets an error as the last event, and the row says `partial`.
"""

from pathlib import Path
from typing import Any

import pytest
from tests.flow.gateway.house import HI, chat, open_house

from clavero.domain.credentials import ProviderKind
from clavero.simulator.faults import Fault

MESSAGES = {"messages": HI, "max_tokens": 60}


@pytest.mark.requirement(29)
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.STALL])
@pytest.mark.parametrize(
    ("path", "body", "last"),
    [
        ("/v1/chat/completions", chat("sim/gpt-4o-mini"), "[DONE]"),
        ("/v1/responses", {"model": "sim/gpt-4o-mini", "input": "hello"}, "response.completed"),
        ("/v1/messages", {"model": "sim/claude-haiku-4-5", **MESSAGES}, "message_stop"),
        ("/v1/chat/completions", chat("anthropic/claude-haiku-4-5"), "[DONE]"),
        ("/v1/messages", {"model": "like/gpt-4o-mini", **MESSAGES}, "message_stop"),
        ("/v1/responses", {"model": "like/gpt-4o-mini", "input": "hello"}, "response.completed"),
    ],
    ids=["chat", "responses", "messages", "chat on messages", "messages on chat", "responses on chat"],
)
async def test_a_cut_stream_ends_in_an_error(
    tmp_path: Path, path: str, body: dict[str, Any], last: str, fault: Fault
) -> None:
    async with open_house(tmp_path / "data", upstream__idle_seconds=0.2) as house:
        kinds = {"sim": ProviderKind.SIMULATED, "anthropic": ProviderKind.ANTHROPIC, "like": ProviderKind.OPENAI_LIKE}
        for name, kind in kinds.items():
            (await house.simulated(name, ["none"], kind=kind)).faults.plan(fault)
        key = await house.key()
        await house.budget("5")
        said = await house.post(path, body | {"stream": True}, key)
        assert said.status == 200
        assert said.is_stream
        assert last not in said.text
        assert said.code == ("stream_interrupted" if fault is Fault.CUT else "upstream_timeout")
        assert said.headers["x-request-id"] in said.error["message"]
        row = await house.last()
        assert (row["outcome"], row["flag"]) == ("partial", "partial")
        assert row["output"] > 0
