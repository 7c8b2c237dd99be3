"""The maintainers' script on two tiny sources of the same shape as the real ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "build_catalogue.py"
DATA = """
from decimal import Decimal
from types import SimpleNamespace as Thing

class Model(Thing):
    def get_prices(self, at):
        return self.prices

class Provider(Thing):
    def find_model(self, name):
        return self.models.get(name)

def prices(**known):
    return Thing(**{"input_mtok": None, "output_mtok": None, "cache_read_mtok": None, "cache_write_mtok": None, **known})

tiered = Thing(base=Decimal("1.5"), tiers=[Thing(start=200000, price=Decimal("3"))])
models = {
    "gpt-a": Model(context_window=9, prices=prices(input_mtok=Decimal("0.0375"), output_mtok=Decimal("2"))),
    "gpt-5-long": Model(context_window=400000, prices=prices(input_mtok=tiered, output_mtok=Decimal("4"))),
    "gpt-fee": Model(context_window=9, prices=prices(input_mtok=Decimal(1), requests_kcount=Decimal(5))),
}
providers = [Provider(id=name, models=models if name == "openai" else {})
             for name in ("openai", "anthropic", "google", "perplexity", "azure")]
"""


def row(provider: str, mode: str = "chat", **more: object) -> dict[str, object]:
    costs = {"input_cost_per_token": 3.75e-08, "output_cost_per_token": 2e-06, "max_output_tokens": 5}
    return {"litellm_provider": provider, "mode": mode, **costs, **more}


ROWS = {
    "gpt-a": row("openai"),
    "gpt-5-long": row("openai"),
    "gpt-fee": row("openai"),
    "gpt-search-x": row("openai"),
    "gpt-free": row("openai", input_cost_per_token=0.0),
    "dall-e": row("openai", "image_generation"),
    "claude-x": row("anthropic", cache_creation_input_token_cost_above_1hr=6e-06),
    "azure/eu/gpt-a": row("azure", input_cost_per_token_above_272k_tokens=1e-07),
    "perplexity/sonar": row("perplexity"),
}


@pytest.fixture
def built(tmp_path: Path) -> str:
    genai, litellm = tmp_path / "genai", tmp_path / "litellm"
    (genai / "genai_prices").mkdir(parents=True)
    (genai / "genai_prices" / "__init__.py").touch()
    (genai / "genai_prices" / "data.py").write_text(DATA)
    (genai / "genai_prices-1.2.3.dist-info").mkdir()
    (litellm / "litellm").mkdir(parents=True)
    (litellm / "litellm-4.5.6.dist-info").mkdir()
    (litellm / "litellm" / "model_prices_and_context_window_backup.json").write_text(json.dumps(ROWS))
    output = tmp_path / "catalogue.json"
    for _ in range(2):
        command = [
            sys.executable,
            str(SCRIPT),
            str(genai),
            str(litellm),
            "--date",
            "2026-11-22",
            "--output",
            str(output),
        ]
        known = output.read_text() if output.exists() else None
        subprocess.run(command, check=True, capture_output=True)
        assert known in {None, output.read_text()}, "the same sources gave other bytes"
    return output.read_text()


def test_text_models_are_listed_with_whole_prices_and_the_rest_is_left_out(built: str) -> None:
    document = json.loads(built)
    assert document["version"] == "2026-11-22"
    assert [source["version"] for source in document["sources"]] == ["1.2.3", "4.5.6"]
    assert {price["id"]: price for price in document["prices"]} == {
        "openai/gpt-5-long": {
            "id": "openai/gpt-5-long",
            "input": 1_500_000_000,
            "output": 4_000_000_000,
            "tiers": [{"above": 200_000, "input": 3_000_000_000, "output": 4_000_000_000}],
            "context": 400_000,
            "max_output": 5,
            "cap_parameter": "max_completion_tokens",
        },
        "openai/gpt-a": {
            "id": "openai/gpt-a",
            "input": 37_500_000,
            "output": 2_000_000_000,
            "context": 9,
            "max_output": 5,
            "cap_parameter": "max_tokens",
        },
        "anthropic/claude-x": {
            "id": "anthropic/claude-x",
            "input": 37_500_000,
            "output": 2_000_000_000,
            "cache_write_long": 6_000_000_000,
            "image": 5_100 * 37_500_000 // 1_000_000,
            "max_output": 5,
            "cap_parameter": "max_tokens",
        },
        "azure/eu/gpt-a": {
            "id": "azure/eu/gpt-a",
            "input": 37_500_000,
            "output": 2_000_000_000,
            "tiers": [{"above": 272_000, "input": 100_000_000, "output": 2_000_000_000}],
            "max_output": 5,
            "cap_parameter": "max_tokens",
        },
    }
