"""A caller named the host, and the provider's key was sent there: `api_base` in a body (CVE-2024-6587), or a header of
that meaning (CVE-2025-66405). Where a call goes is the operator's to say; what a body says besides is the provider's.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.flow.gateway.house import chat, open_house

from clavero.domain.credentials import ProviderKind
from clavero.testing.faults import answer, serve_faults

ANSWER = {"id": "c", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {}}
MEMBERS = ("api_base", "base_url", "custom_llm_provider", "api_key", "host", "url", "endpoint", "proxy")
HEADERS = ("x-portkey-custom-host", "x-api-base", "x-forwarded-host", "x-upstream", "host", "helicone-target-url")


@pytest.mark.parametrize("where", ["body", "headers", "model"])
async def test_nothing_a_caller_says_chooses_the_host(tmp_path: Path, where: str) -> None:
    good = answer(json.dumps(ANSWER).encode())
    async with open_house(tmp_path / "data") as house, serve_faults(good) as ours, serve_faults(good) as theirs:
        await house.provider("own", ours.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        key = await house.key()
        more: dict[str, Any] = dict.fromkeys(MEMBERS, theirs.origin) if where == "body" else {}
        headers = dict.fromkeys(HEADERS, theirs.origin.removeprefix("http://")) if where == "headers" else {}
        models = ["mine-1"]
        if where == "model":
            models = [f"{theirs.origin}/mine-1", f"own/../{theirs.origin}", f"{theirs.origin}:own/mine-1"]
        for model in models:
            await house.post("/v1/chat/completions", chat(model, **more), key, headers)
        assert theirs.connections == 0
        for asked in ours.asked:
            assert asked.target == "/v1/chat/completions"
            assert asked.headers["host"] == ours.origin.removeprefix("http://")
