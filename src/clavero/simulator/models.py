"""Which models the simulator pretends to be: names people use, with the limits their providers state."""

import re

from msgspec import Struct


class Card(Struct, frozen=True):
    """One model. `context` and `output` are the most tokens in all and in an answer; `width` is an embedding's size."""

    name: str
    context: int
    output: int = 0
    reasoning: bool = False
    width: int = 0


def _cards(context: int, output: int, *names: str, reasoning: bool = False) -> dict[str, Card]:
    return {name: Card(name, context, output, reasoning) for name in names}


OPENAI: dict[str, Card] = {
    **_cards(128_000, 16_384, "gpt-4o-mini", "gpt-4o"),
    **_cards(1_047_576, 32_768, "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
    **_cards(400_000, 128_000, "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5.1", reasoning=True),
    **_cards(400_000, 128_000, "gpt-5.2", "gpt-5.4", "gpt-5.5", reasoning=True),
    **_cards(200_000, 100_000, "o3", "o3-mini", "o4-mini", reasoning=True),
    **_cards(128_000, 4_096, "gpt-4-turbo"),
    **_cards(16_385, 4_096, "gpt-3.5-turbo"),
    "text-embedding-3-small": Card("text-embedding-3-small", 8_191, width=1536),
    "text-embedding-3-large": Card("text-embedding-3-large", 8_191, width=3072),
    "text-embedding-ada-002": Card("text-embedding-ada-002", 8_191, width=1536),
}

ANTHROPIC: dict[str, Card] = {
    **_cards(200_000, 64_000, "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"),
    **_cards(1_000_000, 128_000, "claude-sonnet-4-6", "claude-opus-4-6", "claude-opus-4-8"),
    **_cards(1_000_000, 128_000, "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"),
    **_cards(200_000, 64_000, "claude-sonnet-4-0", "claude-3-7-sonnet"),
    **_cards(200_000, 32_000, "claude-opus-4-1", "claude-opus-4-0"),
    **_cards(200_000, 8_192, "claude-3-5-haiku", "claude-3-5-sonnet"),
    **_cards(200_000, 4_096, "claude-3-haiku"),
}

_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")
# A newer member of a known family: its name is taken, with the limits of the family.
_FAMILIES = (
    (re.compile(r"gpt-[56](?:\.\d)?(?:-[a-z]+)*"), Card("gpt-5", 400_000, 128_000, reasoning=True)),
    (re.compile(r"gpt-4\.1(?:-[a-z]+)*"), Card("gpt-4.1", 1_047_576, 32_768)),
    (re.compile(r"claude-(?:opus|sonnet|haiku|fable|mythos)-\d(?:-\d)?"), Card("claude", 200_000, 64_000)),
)


def find(catalogue: dict[str, Card], name: str) -> Card | None:
    """The card of a model, its date left aside; None where this provider has no such model."""
    bare = _DATED.sub("", name)
    if bare in catalogue:
        return catalogue[bare]
    wanted = "claude" if catalogue is ANTHROPIC else "gpt"
    for shape, card in _FAMILIES:
        if bare.startswith(wanted) and shape.fullmatch(bare):
            return card
    return None
