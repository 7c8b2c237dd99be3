"""From the model a caller asks for to the targets that may answer: pure, and never an upstream host of the caller's.

`gpt-x` is a declared model, or goes to the first enabled provider whose patterns match; `provider/gpt-x` and
`provider:gpt-x` name the provider. A declared model may name one fallback.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from clavero.domain.credentials import Model, Provider, ProviderKind
from clavero.domain.errors import ModelNotFound
from clavero.domain.pricing import Price
from clavero.domain.secret import mask

_MAKERS = ("openai/", "anthropic/")
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


class Target(Struct, frozen=True):
    """One provider and the model it is asked for; `price` is None where the catalogue has none."""

    provider: Provider
    served: str
    price: Price | None


def targets(
    name: str, models: Mapping[str, Model], providers: Sequence[Provider], prices: "Prices"
) -> tuple[Target, ...]:
    """The target for a name and its fallback, in order of preference; `ModelNotFound` with the nearest name."""
    first, fallback = _resolve(name, models, providers)
    if first is None:
        raise ModelNotFound(model=name, guess=nearest(name, models, providers, prices))
    found = [first]
    if fallback and (second := _resolve(fallback, models, providers)[0]) and second != first:
        found.append(second)
    return tuple(Target(provider, served, prices.of(provider, served)) for provider, served in found)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a model name is one of these, or begins as one that ends in `*`."""
    return any(name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])) for pattern in patterns)


def may_ask(asked: str, scope: Sequence[str]) -> bool:
    """Whether a key may say this name; an empty scope allows all. A provider's prefix changes nothing."""
    return not scope or matches(asked, scope) or matches(_bare(asked), scope)


def may_reach(target: Target, scope: Sequence[str]) -> bool:
    """Whether a key may be served by this target; an empty scope allows all."""
    return not scope or matches(target.served, scope) or matches(f"{target.provider.name}/{target.served}", scope)


def kept_name(model: str, target: Target | None) -> str:
    """A model's name as it may be kept and said: people paste keys there. One with a price is in the list, so none."""
    return model if target is not None and target.price is not None else mask(model)


class Prices:
    """The price list as exchanges need it: by provider and model, dated names and simulated providers included."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._by_id = {price.id: price for price in prices}
        self._by_model: dict[str, Price] = {}
        # Who makes a model says what it costs, before who sells it on.
        for identity, price in sorted(self._by_id.items(), key=lambda item: not item[0].startswith(_MAKERS)):
            self._by_model.setdefault(identity.partition("/")[2], price)

    @property
    def models(self) -> Iterable[str]:
        """Every model name that has a price."""
        return self._by_model

    def of(self, provider: Provider, served: str) -> Price | None:
        """The price of a model there. An own price (`provider/model`) comes before the list of its kind."""
        for model in (served, _DATED.sub("", served)):
            for prefix in (provider.name, provider.kind.value):
                if price := self._by_id.get(f"{prefix}/{model}"):
                    return price
            if provider.kind is ProviderKind.SIMULATED and (price := self._by_model.get(model)):
                return price
        return None


def nearest(name: str, models: Mapping[str, Model], providers: Sequence[Provider], prices: Prices) -> str:
    """The name that was probably meant; "" where nothing is near."""
    known = [*models]
    patterns = [pattern for provider in providers if provider.enabled for pattern in provider.models]
    known += [pattern for pattern in patterns if "*" not in pattern]
    known += [model for model in prices.models if matches(model, patterns)]
    return next(iter(difflib.get_close_matches(name[:200], known, 1, 0.5)), "")


def _resolve(
    name: str, models: Mapping[str, Model], providers: Sequence[Provider]
) -> tuple[tuple[Provider, str] | None, str]:
    by_name = {provider.name: provider for provider in providers if provider.enabled}
    if (model := models.get(name)) and (provider := by_name.get(model.provider)):
        return (provider, model.served), model.fallback
    for separator in "/:":
        prefix, found, rest = name.partition(separator)
        if found and rest and (provider := by_name.get(prefix)):
            return (provider, rest), ""
    for provider in by_name.values():
        if matches(name, provider.models):
            return (provider, name), ""
    return None, ""


def _bare(name: str) -> str:
    return re.split(r"[/:]", name, maxsplit=1)[-1]
