"""The official SDKs ask a real model through the gateway; what is kept of each exchange is what the model counted."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.model.house import ROOT, House
from tests.e2e.running import wait_for

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
OPENAI_2 = ROOT / ".venv" / "openai2" / "bin" / "python"
NODE = ROOT / ".venv" / "node" / "bin" / "node"
COMMANDS = {
    "python": [sys.executable, str(HERE / "asking.py")],
    "python-openai-2": [str(OPENAI_2), str(HERE / "asking.py")],
    "node": [str(NODE), str(HERE.parent / "node" / "asking.mjs")],
}
BOTH_MAKERS = pytest.mark.parametrize("sdk", ["python", "node"])
EVERY_OPENAI = pytest.mark.parametrize("sdk", list(COMMANDS))


def ask(house: House, sdk: str, question: str, key: str = "") -> Any:
    """Put one question with one SDK; what it made of the answer."""
    command = COMMANDS[sdk]
    assert Path(command[0]).exists(), "fix: make .venv/openai2/.done .venv/node/.done"
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(house.running.data),
        "OPENAI_BASE_URL": house.running.gateway + "/v1",
        "OPENAI_API_KEY": key or house.key,
        "ANTHROPIC_BASE_URL": house.running.gateway,
        "ANTHROPIC_API_KEY": key or house.key,
    }
    words = [*command, question, str(HERE / "asked.json")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_each_client_is_of_the_major_that_it_stands_for() -> None:
    version = "import openai; print(openai.__version__)"
    for name, major in (("python", "3."), ("python-openai-2", "2.")):
        done = subprocess.run([COMMANDS[name][0], "-c", version], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(major)


class TestOpenAi:
    """Chat, responses, embeddings."""

    @EVERY_OPENAI
    @pytest.mark.requirement(22, 23)
    def test_a_chat(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "chat")
        assert told["text"]
        assert told["finish"] in {"stop", "length"}
        _agree(told["usage"], record())
        assert record()["tokens"]["output"] <= 24

    @EVERY_OPENAI
    def test_a_stream_with_its_usage(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "stream")
        assert told["text"]
        assert told["with_usage"] == 1
        _agree(told["usage"], record())
        assert record()["streamed"]

    @EVERY_OPENAI
    def test_a_stream_is_counted_although_its_usage_is_withheld(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "quiet")
        assert told == {"with_usage": 0, "empty": 0}
        assert 0 < record()["tokens"]["output"] <= 9

    @EVERY_OPENAI
    def test_a_tool_is_called(self, house: House, sdk: str) -> None:
        with house.counted():
            told = ask(house, sdk, "tools")
        assert told["name"] == "get_weather"
        assert json.loads(told["input"])["city"]

    @EVERY_OPENAI
    def test_a_tool_is_called_in_a_stream(self, house: House, sdk: str) -> None:
        with house.counted():
            told = ask(house, sdk, "tools_streamed")
        assert told["name"] == "get_weather"
        assert json.loads(told["input"])["city"]

    @EVERY_OPENAI
    def test_embeddings(self, house: House, sdk: str) -> None:
        with house.counted(house.embeddings) as record:
            told = ask(house, sdk, "embeddings")
        assert told["dimensions"] == [640, 640]
        assert told["usage"]["prompt_tokens"] == record()["tokens"]["input"]

    @EVERY_OPENAI
    def test_responses_are_translated(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "responses")
        assert told["text"]
        assert told["finish"] in {"completed", "incomplete"}
        assert told["usage"]["input_tokens"] == record()["tokens"]["input"]
        assert told["usage"]["output_tokens"] == record()["tokens"]["output"]

    @EVERY_OPENAI
    def test_responses_are_translated_in_a_stream(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "responses_streamed")
        assert told["text"]
        assert told["usage"]["output_tokens"] == record()["tokens"]["output"]

    @EVERY_OPENAI
    def test_the_model_stops_when_the_caller_leaves(self, house: House, sdk: str) -> None:
        before = house.chat.counters().predicted
        began = time.monotonic()
        with house.kept() as record:
            assert ask(house, sdk, "cancel")["seen"] == 5
            wait_for(lambda: not house.chat.busy(), 20)
        print(f"{sdk}: the model was at rest {time.monotonic() - began:.1f} s after the question")
        assert house.chat.counters().predicted - before < 1000, "1500 were asked for"
        assert record()["outcome"] == "left"
        assert record()["flag"] == "partial"
        assert record()["tokens"]["output"] >= 3

    @EVERY_OPENAI
    def test_a_prompt_that_is_too_long_is_a_bad_request_of_that_name(self, house: House, sdk: str) -> None:
        with house.kept() as record:
            told = ask(house, sdk, "too_long")
        assert told["status"] == 400
        assert told["code"] == "context_length_exceeded"
        assert "2048" in told["message"], "the model's limit"
        assert record()["cost_nano_usd"] == 0


class TestAnthropic:
    """Messages, which the gateway translates: the model's server is only asked for chat completions."""

    @BOTH_MAKERS
    @pytest.mark.requirement(22, 23)
    def test_a_message(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "messages")
        assert told["text"]
        assert told["finish"] in {"end_turn", "max_tokens"}
        assert told["usage"]["input_tokens"] == record()["tokens"]["input"]
        assert told["usage"]["output_tokens"] == record()["tokens"]["output"] <= 24

    @BOTH_MAKERS
    def test_a_message_in_a_stream(self, house: House, sdk: str) -> None:
        with house.counted() as record:
            told = ask(house, sdk, "messages_streamed")
        assert told["text"]
        assert told["usage"]["output_tokens"] == record()["tokens"]["output"]

    @BOTH_MAKERS
    def test_a_tool_is_called(self, house: House, sdk: str) -> None:
        with house.counted():
            told = ask(house, sdk, "messages_tools")
        assert told["name"] == "get_weather"
        assert json.loads(told["input"])["city"]

    @BOTH_MAKERS
    def test_a_prompt_that_is_too_long_is_an_invalid_request(self, house: House, sdk: str) -> None:
        with house.kept() as record:
            told = ask(house, sdk, "messages_too_long")
        assert told["status"] == 400
        assert told["type"] == "invalid_request_error"
        assert "2048" in told["message"]
        assert record()["cost_nano_usd"] == 0


def _agree(usage: dict[str, Any], record: dict[str, Any]) -> None:
    tokens = record["tokens"]
    assert usage["prompt_tokens"] == tokens["input"] + tokens["cached"]
    assert usage["completion_tokens"] == tokens["output"]
