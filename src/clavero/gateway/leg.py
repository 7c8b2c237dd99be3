"""One leg of an exchange: what a target will be sent, what that can cost, and the cap that goes with it."""

from collections.abc import Sequence
from functools import lru_cache

from clavero.domain.credentials import Network
from clavero.domain.endpoints import Endpoint
from clavero.domain.origins import read_origin
from clavero.domain.pricing import input_bound
from clavero.domain.routing import Target
from clavero.domain.secret import Secret
from clavero.gateway.reserve import Wish
from clavero.gateway.view import Grant
from clavero.ports.upstreams import Outgoing
from clavero.wire import outgoing
from clavero.wire.ask import Ask, ask_usage, capped, draft, write_model
from clavero.wire.formats import cap_parameter, pick, speaker

_CAP_BYTES = 48  # what writing the cap can add to a body
_FREE = frozenset({Endpoint.COUNT_TOKENS})  # providers count for nothing
_WITHOUT_OUTPUT = frozenset({Endpoint.COUNT_TOKENS, Endpoint.EMBEDDINGS})


class Leg:
    """What one target is asked. The body is encoded once; its cap is written behind it when the money is known."""

    __slots__ = ("_ask", "_kind", "_parameter", "_size", "_sketch", "origin", "target", "way", "wish")

    def __init__(self, ask: Ask, target: Target, grant: Grant) -> None:
        provider, price = target.provider, target.price
        self.target = target
        self.origin = _origin(provider.base_url, provider.network)
        kind = self._kind = speaker(provider.kind, target.served)
        self.way = pick(ask.endpoint, kind, provider.name, ask.model)
        self._ask = ask
        known = price.cap_parameter if price is not None else ""
        self._parameter = cap_parameter(self.way.spoken, kind, known, ask.cap_parameter)
        translator = self.way.translator
        tree = ask.tree if translator is None else translator.request(ask.tree)
        if target.served != ask.model:
            tree = write_model(tree, target.served)
        if translator is None and ask.stream and ask.endpoint is Endpoint.CHAT and not ask.usage_asked:
            tree = ask_usage(tree)
        budgets = () if ask.endpoint in _FREE else grant.budgets
        if ask.cap is None and not budgets and self.way.spoken is not Endpoint.MESSAGES:
            self._parameter = ""  # nobody asked for a cap and nothing has to be bounded; messages must have one
        self._sketch = draft(tree, self._parameter)
        self._size = len(self._sketch)
        self.wish = self._wish(grant, budgets)

    @property
    def estimated_input(self) -> int:
        """Input tokens to charge for where a provider told none: usual of English, never a bound."""
        return -(-self._size // 4)

    def outgoing(self, cap: int, key: Secret, caller: dict[str, str], version: str) -> Outgoing:
        """The request with its cap written; `key` is revealed here and nowhere before."""
        headers = outgoing.headers(
            self._kind, self.way.spoken, key.reveal(), caller, version=version, stream=self._ask.stream
        )
        path = outgoing.target(self.target.provider.base_url, self.way.spoken)
        return Outgoing("POST", path, headers, capped(self._sketch, self._parameter, cap))

    def let_go(self) -> None:
        """Keep the body no longer: its answer has begun, so it is never sent again."""
        self._sketch = b""

    def told_cap(self, cap: int) -> int:
        """The cap, where it is another than the caller asked for; 0 where there is nothing to tell."""
        return cap if self._parameter and cap != self._ask.cap else 0

    def _wish(self, grant: Grant, budgets: Sequence[object]) -> Wish:
        ask, price = self._ask, self.target.price
        bound = input_bound(self._size + _CAP_BYTES, ask.images + ask.images_inline, ask.tools)
        free = ask.endpoint in _FREE
        wish = Wish(ask.model, None if free else price, bound, grant.budgets if budgets else ())
        wish.unbounded = (*ask.unbounded, *(("a file",) if ask.files or ask.files_inline else ()))
        wish.output = ask.endpoint not in _WITHOUT_OUTPUT
        wish.asked, wish.choices = ask.cap, ask.n
        wish.most = price.max_output if price is not None and budgets else 0
        wish.usual = grant.key.default_output_tokens
        return wish


@lru_cache(maxsize=256)
def _origin(base_url: str, network: Network) -> str:
    """The origin of a provider: read once, since it says the same each time."""
    return read_origin(base_url, network).origin
