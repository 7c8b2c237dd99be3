"""What tokens cost, and the most that a call can cost before it is made."""

from collections.abc import Iterator

from msgspec import Struct

from clavero.domain.money import NanoUsd
from clavero.domain.usage import Tokens

# The most that one image costs by the formulas that providers publish is 48,169 tokens (gpt-4o-mini, eight tiles).
IMAGE_TOKENS = 50_000
# What a provider adds around a body: roles and separators, and once the preamble that makes a model use tools.
FRAME_TOKENS = 64
TOOLS_TOKENS = 1_024


class Tier(Struct, frozen=True):
    """Prices that apply to the whole call when its input is longer than `above` tokens."""

    above: int
    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    cache_write_long: int = 0


class Price(Struct, frozen=True, kw_only=True):
    """The price of one model at one provider: nano-USD per million tokens. `version` names the dated list it is from.

    `cached` and `cache_write` fall back to `input` where the list names none. Limits are tokens; 0 is unknown.
    """

    id: str  # provider kind/model, as in openai/gpt-4o-mini
    version: str
    input: int
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    cache_write_long: int = 0  # what is to be kept for an hour or more; 0: as `cache_write`
    image: int = 0  # most nano-USD that one image reference can cost; 0: an image cannot be bounded
    tiers: tuple[Tier, ...] = ()
    context: int = 0
    max_output: int = 0
    cap_parameter: str = ""  # the parameter that caps the output in chat: max_tokens or max_completion_tokens


class Bound(Struct, frozen=True):
    """What the input of a call cannot exceed: tokens of text, and images whose bytes do not bound them."""

    tokens: int
    images: int = 0


def input_bound(body_bytes: int, images: int, tools: int) -> Bound:
    """The bound of a body as it will be sent: byte-level BPE never makes more tokens than there are bytes."""
    return Bound(body_bytes + FRAME_TOKENS + (TOOLS_TOKENS if tools else 0), images)


def cost(price: Price, tokens: Tokens) -> NanoUsd:
    """What these tokens cost, nano-USD, rounded up once. A tier applies to the whole call, by all of its input."""
    rate: Price | Tier = price
    for tier in price.tiers:
        if tokens.all_input > tier.above:
            rate = tier
    total = (
        tokens.input * rate.input
        + tokens.cached * (rate.cached or rate.input)
        + tokens.cache_write * (rate.cache_write or rate.input)
        + tokens.all_output * rate.output
    )
    return NanoUsd(-(-total // 1_000_000))


def worst_case(price: Price, bound: Bound, output: int) -> NanoUsd:
    """The most that a call can cost, nano-USD: every token at the dearest rate that it could meet."""
    tokens = bound.tokens + (0 if price.image else bound.images * IMAGE_TOKENS)
    total = tokens * dearest_input(price, tokens) + output * dearest_output(price, tokens)
    return NanoUsd(-(-total // 1_000_000) + bound.images * price.image)


def affordable(price: Price, bound: Bound, money: int) -> int:
    """How many output tokens this money buys in the worst case; below 0 where it does not even buy the input."""
    tokens = bound.tokens + (0 if price.image else bound.images * IMAGE_TOKENS)
    rate = dearest_output(price, tokens)
    left = money - worst_case(price, bound, 0)
    if left < 0:
        return -1
    return left * 1_000_000 // rate if rate else (1 << 31)


def dearest_input(price: Price, tokens: int) -> int:
    """The highest rate that an input token can have in a call of up to so many."""
    if not price.tiers:
        return max(price.input, price.cached, price.cache_write)
    return max(max(rate.input, rate.cached, rate.cache_write) for rate in _reachable(price, tokens))


def dearest_output(price: Price, tokens: int) -> int:
    """The highest rate that an output token can have in a call of up to so many input tokens."""
    if not price.tiers:
        return price.output
    return max(rate.output for rate in _reachable(price, tokens))


def _reachable(price: Price, tokens: int) -> Iterator[Price | Tier]:
    yield price
    yield from (tier for tier in price.tiers if tokens > tier.above)
