"""The official SDKs, unchanged but for the base URL."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from tests.e2e.running import CHAT, Running, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:The model")  # the SDK tells that a model's end is near
ROOT = Path(__file__).parents[2]
HI: Any = [{"role": "user", "content": "Say hello in five words."}]
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture(scope="module")
def client(clavero: Running) -> Any:
    return openai.OpenAI(base_url=clavero.gateway + "/v1", api_key=clavero.key)


@pytest.fixture(scope="module")
def claude(clavero: Running) -> Any:
    return anthropic.Anthropic(base_url=clavero.gateway, api_key=clavero.key)


@pytest.mark.requirement(22, 23)
def test_chat(client: Any) -> None:
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=HI, temperature=0.2, max_tokens=30)
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_chat_streamed_with_usage(client: Any) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage.total_tokens > 0


def test_usage_that_was_not_asked_for_is_withheld(client: Any) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=HI, stream=True))
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)


def test_tools(client: Any) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "What is the weather in Lima? Use the tool."}],
        tools=[{"type": "function", "function": WEATHER}],
        tool_choice="required",
    )
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    json.loads(call.function.arguments)


def test_an_image_in_a_message(client: Any) -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content


def test_responses_plain_and_streamed(client: Any) -> None:
    answer = client.responses.create(model="gpt-4o-mini", input="Say hello.")
    assert answer.output_text
    assert answer.usage
    assert answer.usage.total_tokens > 0
    events = list(client.responses.create(model="gpt-4o-mini", input="Say hello.", stream=True))
    assert events[-1].type == "response.completed"
    assert any(event.type == "response.output_text.delta" for event in events)


def test_embeddings(client: Any) -> None:
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert len(answer.data) == 2
    assert len(answer.data[0].embedding) == 1536


def test_models(client: Any) -> None:
    names = {model.id for model in client.models.list()}
    assert {"gpt-4o-mini", "text-embedding-3-small", "claude-sonnet-4-5"} <= names
    assert client.models.retrieve("gpt-4o-mini").id == "gpt-4o-mini"


def test_messages_plain_streamed_and_counted(claude: Any) -> None:
    answer = claude.messages.create(model="claude-sonnet-4-5", max_tokens=64, messages=HI)
    assert answer.content[0].text
    assert answer.usage.output_tokens > 0
    with claude.messages.stream(model="claude-sonnet-4-5", max_tokens=64, messages=HI) as stream:
        assert "".join(stream.text_stream)
        assert stream.get_final_message().usage.output_tokens > 0
    counted = claude.messages.count_tokens(model="claude-sonnet-4-5", messages=HI)
    assert counted.input_tokens > 0


def test_messages_with_a_tool(claude: Any) -> None:
    answer = claude.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=200,
        tools=[{"name": "get_weather", "input_schema": WEATHER["parameters"]}],
        tool_choice={"type": "any"},
        messages=[{"role": "user", "content": "What is the weather in Lima? Use the tool."}],
    )
    assert any(block.type == "tool_use" and block.name == "get_weather" for block in answer.content)


class TestErrors:
    """Each class of error that the SDKs know."""

    def test_a_wrong_key(self, clavero: Running) -> None:
        wrong: Any = openai.OpenAI(base_url=clavero.gateway + "/v1", api_key="clvk_prod_0123456789AB_" + "a" * 49)
        with pytest.raises(openai.AuthenticationError) as caught:
            wrong.chat.completions.create(**CHAT)
        assert caught.value.code == "malformed_api_key"
        stranger: Any = anthropic.Anthropic(
            base_url=clavero.gateway, api_key="clvk_prod_0123456789AB_" + "a" * 43 + "3rYW1j"
        )
        with pytest.raises(anthropic.AuthenticationError, match="Unknown key 0123456789AB"):
            stranger.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=HI)

    def test_an_unknown_model(self, client: Any, claude: Any) -> None:
        with pytest.raises(openai.NotFoundError, match="gpt-4o-mini"):
            client.chat.completions.create(model="gtp-4o-mini", messages=HI)
        with pytest.raises(anthropic.NotFoundError):
            claude.messages.create(model="nobodys-model", max_tokens=9, messages=HI)

    def test_a_parameter_that_is_none(self, client: Any) -> None:
        with pytest.raises(openai.BadRequestError, match="max_tokens"):
            client.chat.completions.create(model="gpt-4o-mini", messages=HI, max_tokens=0)

    def test_a_model_out_of_scope(self, clavero: Running) -> None:
        made = clavero.api("POST", "/keys", {"name": "prod-mail-01", "owner": "asha", "models": ["gpt-4o"]})
        assert made.status == 201, made.body
        key = made.json["secret"]

        def refused() -> bool:
            try:
                narrow: Any = openai.OpenAI(base_url=clavero.gateway + "/v1", api_key=key)
                narrow.chat.completions.create(**CHAT)
            except openai.PermissionDeniedError as error:
                return error.code == "model_not_allowed"
            except openai.AuthenticationError:
                return False  # not published yet
            raise AssertionError("it was let through")

        assert wait_for(refused)

    @pytest.mark.requirement(32)
    def test_a_spent_budget_is_refused_once_and_not_retried(self, clavero: Running) -> None:
        made = clavero.api("POST", "/keys", {"name": "prod-poor-01", "owner": "asha"})
        assert made.status == 201, made.body
        clavero.api(
            "PUT",
            "/budgets",
            {"subject": "key", "name": made.json["key"]["kid"], "window": "day", "limit_usd": "0.000001"},
        )
        poor: Any = openai.OpenAI(base_url=clavero.gateway + "/v1", api_key=made.json["secret"])

        def refused() -> openai.RateLimitError | None:
            try:
                poor.chat.completions.create(**CHAT)
            except openai.RateLimitError as error:
                return error
            except openai.AuthenticationError:
                return None
            return None

        error = wait_for(refused)
        assert error.code == "insufficient_quota"
        assert error.response.headers["x-should-retry"] == "false"
        assert error.body["limit_source"].startswith("key/")
        listed = f"/requests?key={made.json['key']['kid']}"
        before = wait_for(lambda: (now := clavero.api("GET", listed).json)["requests"] and now)
        time.sleep(0.5)  # whatever was refused before has been ingested
        before = clavero.api("GET", listed).json
        with pytest.raises(openai.RateLimitError):
            poor.chat.completions.create(**CHAT)
        after = wait_for(lambda: (now := clavero.api("GET", listed).json) != before and now)
        assert len(after["requests"]) == len(before["requests"]) + 1


def test_the_previous_major_of_the_sdk(clavero: Running) -> None:
    python = ROOT / ".venv" / "openai2" / "bin" / "python"
    assert python.exists(), "make test installs it"
    program = (
        "import openai, os, sys\n"
        "assert openai.__version__.startswith('2.')\n"
        "client = openai.OpenAI()\n"
        "hi = [{'role': 'user', 'content': 'Hello'}]\n"
        "assert client.chat.completions.create(model='gpt-4o-mini', messages=hi).usage.total_tokens > 0\n"
        "assert list(client.chat.completions.create(model='gpt-4o-mini', messages=hi, stream=True))\n"
        "assert client.responses.create(model='gpt-4o-mini', input='Hello').output_text\n"
        "assert len(client.embeddings.create(model='text-embedding-3-small', input='x').data[0].embedding) == 1536\n"
        "print('whole')\n"
    )
    environ = {
        "OPENAI_BASE_URL": clavero.gateway + "/v1",
        "OPENAI_API_KEY": clavero.key,
        "HOME": str(clavero.data),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [str(python), "-c", program], capture_output=True, text=True, timeout=120, check=False, env=environ
    )
    assert done.stdout.strip() == "whole", done.stderr
    assert sys.version_info >= (3, 11)


def test_a_chat_asked_in_one_format_runs_on_the_other_makers_model(client: Any, claude: Any) -> None:
    answer = client.chat.completions.create(model="claude-sonnet-4-5", messages=HI, max_tokens=40)
    assert answer.choices[0].message.content
    chunks = list(client.chat.completions.create(model="claude-sonnet-4-5", messages=HI, max_tokens=40, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    message = claude.messages.create(model="gpt-4o-mini", max_tokens=40, messages=HI)
    assert message.content[0].text
