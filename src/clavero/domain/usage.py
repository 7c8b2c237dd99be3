"""What an exchange used and what became of it: tokens by type, and the row that is kept."""

from msgspec import Struct


class Tokens(Struct, frozen=True, array_like=True, gc=False):
    """Tokens by the kind they are priced at. Kinds do not overlap: `input` is what was neither cached nor written."""

    input: int = 0
    cached: int = 0  # input read from the provider's cache
    cache_write: int = 0  # input written to the provider's cache
    output: int = 0  # without reasoning
    reasoning: int = 0  # priced as output

    @property
    def all_input(self) -> int:
        """Every input token, cached or not."""
        return self.input + self.cached + self.cache_write

    @property
    def all_output(self) -> int:
        """Every output token, reasoning included."""
        return self.output + self.reasoning


NO_TOKENS = Tokens()


class Attempt(Struct, frozen=True, array_like=True, gc=False):
    """One call of one provider, or the wait before it. Times in microseconds since the request arrived."""

    provider: str
    model: str
    started_us: int
    ended_us: int
    status: int  # 0: no answer
    first_byte_us: int = 0
    code: str = ""  # our code, where it failed
    waited_us: int = 0  # before this attempt


class Exchange(Struct, frozen=True, array_like=True, gc=False):
    """One row of `usage`: everything that is kept about an exchange, or about one leg of it that took its own hold.

    Times in `_us` are microseconds; `at_ns` is UTC nanoseconds of arrival. `cost_n` is nano-USD. `outcome` is one of
    ok, refused, failed, partial (cut by provider or revocation), left (the caller went).
    """

    request_id: str
    at_ns: int
    key_id: str = ""
    key_version: int = 0
    owner: str = ""
    service: str = ""
    team: str = ""
    project: str = ""
    environment: str = ""
    feature: str = ""
    endpoint: str = ""  # chat, responses, messages, embeddings, models, count_tokens
    model_asked: str = ""
    model_served: str = ""
    provider: str = ""
    tokens: Tokens = NO_TOKENS
    cost_n: int = 0
    price_version: str = ""
    attempts: tuple[Attempt, ...] = ()
    first_token_us: int = 0  # 0: none came
    total_us: int = 0
    overhead_us: int = 0
    status: int = 0  # what the caller saw
    code: str = ""  # "" when it went well
    outcome: str = "ok"
    streamed: bool = False
    estimated: bool = False  # the provider reported no usage
    final: bool = True  # False: an earlier leg of the same request
    client_request_id: str = ""
    peer: str = ""
    output_cap: int = 0
    held_n: int = 0
