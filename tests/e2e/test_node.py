"""The official SDKs of Node against the simulator: the questions that a real model is asked every night."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.running import Running

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]
HERE = Path(__file__).parent
NODE = HERE.parents[1] / ".venv" / "node" / "bin" / "node"
TELLING = {
    "chat": "text", "stream": "text", "tools": "name", "tools_streamed": "name", "embeddings": "dimensions",
    "responses": "text", "responses_streamed": "text", "cancel": "seen", "messages": "text",
    "messages_streamed": "text", "messages_tools": "name",
}  # fmt: skip


def ask(clavero: Running, folder: Path, question: str) -> Any:
    """Put one question; what the SDK made of the answer."""
    assert NODE.exists(), "fix: make .venv/node/.done"
    asked = (HERE / "model" / "asked.json").read_text()
    for ours, theirs in (("gemma-chat", "gpt-4o-mini"), ("gemma-embeddings", "text-embedding-3-small")):
        asked = asked.replace(ours, theirs)
    file = folder / "asked.json"
    file.write_text(asked)
    environ = {
        "PATH": "/usr/bin:/bin", "HOME": str(folder),
        "OPENAI_BASE_URL": clavero.gateway + "/v1", "OPENAI_API_KEY": clavero.key,
        "ANTHROPIC_BASE_URL": clavero.gateway, "ANTHROPIC_API_KEY": clavero.key,
    }  # fmt: skip
    words = [str(NODE), str(HERE / "node" / "asking.mjs"), question, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("question", "member"), list(TELLING.items()))
@pytest.mark.requirement(22, 23)
def test_a_question_is_answered(clavero: Running, tmp_path: Path, question: str, member: str) -> None:
    told = ask(clavero, tmp_path, question)
    assert told[member]
    if "usage" in told:
        usage = told["usage"]
        assert sum(value for name, value in usage.items() if name.endswith("_tokens")) > 0


def test_usage_that_was_not_asked_for_is_withheld(clavero: Running, tmp_path: Path) -> None:
    assert ask(clavero, tmp_path, "quiet") == {"with_usage": 0, "empty": 0}
