"""What tokens cost, and the most that a call can cost before it is made."""

from msgspec import Struct


class Tier(Struct, frozen=True):
    """Prices that apply to the whole call when its input is longer than `above` tokens."""

    above: int
    input: int
    output: int
    cached: int = 0
    cache_write: int = 0


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
    image: int = 0  # most nano-USD that one image reference can cost; 0: an image cannot be bounded
    tiers: tuple[Tier, ...] = ()
    context: int = 0
    max_output: int = 0
    cap_parameter: str = ""  # the parameter that caps the output in chat: max_tokens or max_completion_tokens
