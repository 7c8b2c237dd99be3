"""Write `src/clavero/control/prices/catalogue.json` again; for maintainers, never at run time.

    python -m pip download --no-deps --dest /tmp/prices genai-prices litellm
    python -m zipfile -e /tmp/prices/genai_prices-*.whl /tmp/prices/genai
    python -m zipfile -e /tmp/prices/litellm-*.whl /tmp/prices/litellm
    .venv/bin/python scripts/build_catalogue.py /tmp/prices/genai /tmp/prices/litellm --date 2026-11-22

Prices are those of genai-prices (MIT). From litellm's data file (MIT) come model names, limits, Azure's rows (which are
by region), and models that genai-prices does not know. The same sources and date give the same bytes. Where both price
a model and disagree, the difference is printed for a person to judge, and genai-prices counts.

Left out, so that they are unpriced and refused under a hard budget: whatever costs money beside its text tokens (a fee
for each request or search, sound, pictures, video), and whatever is free, since a zero is more often a gap than a gift.
"""

import argparse
import importlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from clavero.domain.money import price_from_usd
from clavero.domain.pricing import Price, Tier

TARGET = Path(__file__).parents[1] / "src" / "clavero" / "control" / "prices" / "catalogue.json"
LIMITS = "litellm/model_prices_and_context_window_backup.json"
# Our kind of provider, its name in genai-prices, its name in litellm. The order is that of the file: where only the
# name of a model is known, its maker comes before those who sell it too.
PROVIDERS = (
    ("openai", "openai", "openai"),
    ("anthropic", "anthropic", "anthropic"),
    ("gemini", "google", "gemini"),
    ("perplexity", "perplexity", "perplexity"),
    ("azure", "azure", "azure"),
)
MODES = {"chat", "responses", "completion", "embedding"}
# Names of models that cost money beside their text tokens, or are no models.
BESIDE_TEXT = re.compile(
    r"search|research|audio|realtime|tts|transcribe|image|live|computer|moderation|container|lyria|robotics|"
    r"omni|banana|^ft:|preset/|-online|vision-preview"
)
# Price keys that bill text tokens; `web_searches_kcount` and sound are billed only where tools or parts ask for them,
# which the gateway sees in the request.
FEES = re.compile(r"requests_kcount|citation|reasoning")
REASONING = re.compile(r"^(?:o\d|gpt-[5-9]|codex)")
# The most input tokens that one image can be, from the providers' vision guides (OpenAI: 8 tiles at most, or 1,536
# patches times the multiplier of the model; Anthropic: pixels / 750 after scaling). Newer models: not stated, so 0.
IMAGE_TOKENS = (
    (re.compile(r"gpt-4o-mini"), 2_833 + 8 * 5_667),
    (re.compile(r"gpt-4o|gpt-4\.1(?!-(?:mini|nano))|gpt-4-turbo"), 85 + 8 * 170),
    (re.compile(r"gpt-4\.1-mini|gpt-5-mini"), 2_489),
    (re.compile(r"gpt-4\.1-nano|gpt-5-nano"), 3_779),
    (re.compile(r"o4-mini"), 2_642),
    (re.compile(r"gpt-5(?:-chat-latest|-2025-08-07)?$"), 70 + 8 * 140),
    (re.compile(r"o[13](?:-pro)?(?:-\d{4}.*)?$"), 75 + 8 * 150),
    (re.compile(r"claude-(?:3|(?:opus|sonnet|haiku)-4-[0156]|(?:opus|sonnet)-4-2)"), 1_640),
    (re.compile(r"claude-"), 5_100),
)
NANO_TOKENS = 1_000_000

Row = dict[str, Any]


def main() -> None:
    """Build the file and say what changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genai", type=Path, help="where the genai-prices wheel was unpacked")
    parser.add_argument("litellm", type=Path, help="where the litellm wheel was unpacked")
    parser.add_argument("--date", required=True, help="the day of the list, YYYY-MM-DD; it becomes its version")
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args()
    day = datetime.strptime(options.date, "%Y-%m-%d").replace(tzinfo=UTC)
    sys.path.insert(0, str(options.genai))
    known = {provider.id: provider for provider in importlib.import_module("genai_prices.data").providers}
    limits: dict[str, Row] = json.loads((options.litellm / LIMITS).read_text("utf-8"))
    prices = list(_prices(known, limits, day))
    sources = [_source(options.genai, "genai_prices", "genai-prices"), _source(options.litellm, "litellm", "litellm")]
    options.output.write_text(render(options.date, sources, prices), "utf-8")
    print(f"{options.output.name}: {len(prices)} prices, {options.output.stat().st_size // 1024} KiB")


def render(version: str, sources: list[Row], prices: list[Price]) -> str:
    """The file: one price a line, so that a new list is read as a difference."""
    lines = []
    for price in prices:
        document = _without_zeros(msgspec.to_builtins(price))
        document["tiers"] = [_without_zeros(tier) for tier in document.pop("tiers", ())]
        lines.append("  " + json.dumps(_without_zeros(document), separators=(",", ":")))
    head = {"version": version, "unit": "nano-USD per million tokens", "sources": sources}
    return json.dumps(head)[:-1] + ', "prices": [\n' + ",\n".join(lines) + "\n]}\n"


def _without_zeros(document: Row) -> Row:
    return {name: value for name, value in document.items() if value not in (0, "", [], ())}


def _prices(known: Row, limits: dict[str, Row], day: datetime) -> Iterator[Price]:
    for kind, theirs, litellms in PROVIDERS:
        seen: set[str] = set()
        for name, row in sorted(limits.items()):
            if row.get("litellm_provider") != litellms or row.get("mode") not in MODES:
                continue
            model = name.removeprefix(f"{litellms}/")
            if BESIDE_TEXT.search(model) or model in seen:
                continue
            seen.add(model)
            price = _price(kind, model, row, known[theirs], day)
            if price is not None:
                yield price


def _price(kind: str, model: str, row: Row, provider: Any, day: datetime) -> Price | None:
    """One price: genai-prices' where it knows the model, else litellm's; None where it costs more than its tokens."""
    found = None if kind == "azure" else provider.find_model(model)
    listed = found.get_prices(day.replace(hour=12)) if found else None
    if listed is not None and any(FEES.search(key) for key, value in vars(listed).items() if value is not None):
        return None
    if listed is None and (kind == "perplexity" or row.get("input_cost_per_request")):
        return None  # litellm does not tell Perplexity's fees for each request apart
    rates = _rates_of_litellm(row) if listed is None or listed.input_mtok is None else _rates_of_genai(listed)
    embedding = row["mode"] == "embedding"
    if not rates or not rates[0]["input"] or not (embedding or rates[0]["output"]):
        return None
    base, others = rates[0], _rates_of_litellm(row)[:1]
    if listed is not None:
        _compare(f"{kind}/{model}", base, others)
    context = max(_whole(row.get("max_input_tokens")), _whole(found.context_window if found else 0))
    tiers = [rate for rate in rates[1:] if not context or rate["above"] < context]
    return Price(
        id=f"{kind}/{model}",
        version="",
        input=base["input"],
        output=0 if embedding else base["output"],
        cached=base["cached"],
        cache_write=base["cache_write"],
        cache_write_long=base["cache_write_long"] or max((other["cache_write_long"] for other in others), default=0),
        image=0 if embedding else _image(kind, model, max(rate["input"] for rate in [base, *tiers])),
        tiers=tuple(Tier(**rate) for rate in tiers),
        context=context,
        max_output=0 if embedding else _whole(row.get("max_output_tokens")),
        cap_parameter="" if embedding else _cap(kind, model),
    )


def _rates_of_genai(listed: Any) -> list[dict[str, int]]:
    """The base rate, then one for each threshold."""
    keys = {
        "input": listed.input_mtok,
        "output": listed.output_mtok,
        "cached": listed.cache_read_mtok,
        "cache_write": listed.cache_write_mtok,
        "cache_write_long": getattr(listed, "cache_write_1h_mtok", None),
    }
    starts = sorted({tier.start for value in keys.values() for tier in getattr(value, "tiers", ())})
    base = {name: _nano(getattr(value, "base", value)) for name, value in keys.items()}
    return [base] + [
        {"above": start} | {name: _nano(_at(value, start)) for name, value in keys.items()} for start in starts
    ]


def _at(value: Any, start: int) -> Any:
    """The price that a list with thresholds gives once the input is longer than `start`."""
    fitting = [tier.price for tier in getattr(value, "tiers", ()) if tier.start <= start]
    return fitting[-1] if fitting else getattr(value, "base", value)


def _rates_of_litellm(row: Row) -> list[dict[str, int]]:
    keys = {
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cached": "cache_read_input_token_cost",
        "cache_write": "cache_creation_input_token_cost",
    }
    if row.get("input_cost_per_token") is None:
        return []
    long = row.get("cache_creation_input_token_cost_above_1hr") or row.get("cache_creation_input_token_cost_above_12hr")
    base = {name: _nano_each(row.get(key)) for name, key in keys.items()} | {"cache_write_long": _nano_each(long)}
    rates = [base]
    for key in sorted(row):
        above = re.fullmatch(r"input_cost_per_token_above_(\d+)k_tokens", key)
        if above:
            suffix = f"_above_{above[1]}k_tokens"
            tier = {name: _nano_each(row.get(key + suffix)) or base[name] for name, key in keys.items()}
            rates.append({"above": int(above[1]) * 1000, **tier, "cache_write_long": base["cache_write_long"]})
    return rates


def _compare(identity: str, ours: dict[str, int], theirs: list[dict[str, int]]) -> None:
    for other in theirs:
        for name in ("input", "output", "cached"):
            if other[name] and ours[name] and other[name] != ours[name]:
                print(f"differs: {identity} {name} {ours[name]} here, {other[name]} in litellm", file=sys.stderr)


def _image(kind: str, model: str, dearest: int) -> int:
    if kind not in {"openai", "azure", "anthropic"}:
        return 0
    name = model.rpartition("/")[2]
    tokens = next((most for shape, most in IMAGE_TOKENS if shape.match(name)), 0)
    return -(-tokens * dearest // NANO_TOKENS)


def _cap(kind: str, model: str) -> str:
    reasons = kind in {"openai", "azure"} and REASONING.match(model.rpartition("/")[2])
    return "max_completion_tokens" if reasons else "max_tokens"


def _nano(dollars_per_million: Decimal | None) -> int:
    return 0 if dollars_per_million is None else price_from_usd(Decimal(dollars_per_million))


def _nano_each(dollars_per_token: float | None) -> int:
    return 0 if dollars_per_token is None else price_from_usd(Decimal(repr(dollars_per_token)) * 1_000_000)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float | str) and str(value).isdecimal() else 0


def _source(folder: Path, package: str, name: str) -> Row:
    (info,) = folder.glob(f"{package}-*.dist-info")
    return {"name": name, "version": info.name.split("-")[1].removesuffix(".dist"), "license": "MIT"}


if __name__ == "__main__":
    main()
