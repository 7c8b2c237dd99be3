"""A stream that began with an error, or ended before it said anything, was given to the caller as it was: the fallback
was never tried (BerriAI/litellm#40404, BerriAI/litellm#24004).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.flow.gateway.house import HI, House, Said, chat, open_house

from clavero.domain.credentials import ProviderKind
from clavero.testing.faults import serve_faults, stall, stream


def event(tree: dict[str, Any], name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(tree).encode() + b"\n\n"


ROLE = event({"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
SORRY = event({"error": {"message": "The server is overloaded", "type": "server_error"}})
START = event(
    {
        "type": "message_start",
        "message": {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [], "usage": {}},
    },
    "message_start",
)
PING = event({"type": "ping"}, "ping")
OVERLOADED = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")
DELTA = event({"id": "c", "choices": [{"index": 0, "delta": {"content": "Half of"}}]})


async def ask(house: House, path: str, body: dict[str, Any]) -> Said:
    key = await house.key()
    await house.budget("5")
    return await house.post(path, body, key)


@pytest.mark.parametrize(
    "start",
    [(SORRY,), (ROLE, SORRY), (ROLE,), (b": ping\n\n",), (ROLE + SORRY,)],
    ids=["error", "role, error", "role, end", "comment, end", "one read"],
)
async def test_a_chat_stream_that_says_nothing_is_answered_by_the_fallback(
    tmp_path: Path, start: tuple[bytes, ...]
) -> None:
    async with open_house(tmp_path / "data", upstream__attempts=1) as house, serve_faults(stream(*start)) as bad:
        await house.simulated("second", ["none"])
        await house.provider("bad", bad.origin, ["none"], ProviderKind.OPENAI_LIKE)
        await house.model("prod-chat", "bad", "gpt-4o-mini", "second/gpt-4o")
        said = await ask(house, "/v1/chat/completions", chat("prod-chat", stream=True))
        assert said.clean
        assert said.headers["x-clavero-provider"] == "second"
        assert said.text.endswith("data: [DONE]\n\n")
        assert said.text.count('"role"') == 1
        row = await house.last()
        assert (row["outcome"], row["provider"]) == ("ok", "second")


async def test_a_messages_stream_that_is_overloaded_behind_its_start_is_answered_by_the_fallback(
    tmp_path: Path,
) -> None:
    async with (
        open_house(tmp_path / "data", upstream__attempts=1) as house,
        serve_faults(stall(START, PING, OVERLOADED)) as bad,
    ):
        await house.simulated("second", ["none"])
        await house.provider("bad", bad.origin, ["none"], ProviderKind.ANTHROPIC)
        await house.model("prod-chat", "bad", "claude-haiku-4-5", "second/claude-sonnet-4-5")
        body = {"model": "prod-chat", "messages": HI, "max_tokens": 30, "stream": True}
        said = await ask(house, "/v1/messages", body)
        assert said.clean
        assert said.headers["x-clavero-provider"] == "second"
        assert said.text.count("message_start") == 2  # the event and its type, once
        assert "event: error" not in said.text
        failed, answered = await house.rows()
        assert (failed["final"], failed["cost_n"], failed["code"]) == (0, 0, "upstream_error")
        assert answered["outcome"] == "ok"


async def test_once_something_was_said_no_other_model_goes_on(tmp_path: Path) -> None:
    async with open_house(tmp_path / "data") as house, serve_faults(stream(ROLE, DELTA, SORRY)) as bad:
        second = await house.simulated("second", ["none"])
        await house.provider("bad", bad.origin, ["none"], ProviderKind.OPENAI_LIKE)
        await house.model("prod-chat", "bad", "gpt-4o-mini", "second/gpt-4o")
        said = await ask(house, "/v1/chat/completions", chat("prod-chat", stream=True))
        assert said.words == "Half of"
        assert said.code == "upstream_error"
        assert second.invoice.requests == 0
        assert (await house.last())["outcome"] == "partial"


async def test_preliminaries_are_not_kept_for_long(tmp_path: Path) -> None:
    """A provider that thinks for long behind its first event is not mistaken for a silent one by its caller."""
    async with (
        open_house(tmp_path / "data", upstream__idle_seconds=1.8) as house,
        serve_faults(stall(ROLE)) as slow,
    ):
        await house.provider("slow", slow.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        call = await house.begin("/v1/chat/completions", chat("mine-1", stream=True), await house.key())
        await call.until(b'"role"')
        assert b"error" not in call.raw
        assert (await call.end()).code == "upstream_timeout"
