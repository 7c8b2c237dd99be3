import pytest

from clavero.domain.credentials import Model, Provider, ProviderKind
from clavero.domain.errors import ModelNotFound
from clavero.domain.pricing import Price
from clavero.domain.routing import Prices, Target, kept_name, matches, may_ask, may_reach, targets

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.example", models=("gpt-*",))
CLAUDE = Provider(name="anthropic", kind=ProviderKind.ANTHROPIC, base_url="https://api.example", models=("claude-*",))
LOCAL = Provider(name="simulated", kind=ProviderKind.SIMULATED, base_url="http://127.0.0.1:1", models=("*",))
PRICES = Prices([Price(id="openai/gpt-4o-mini", version="v", input=150_000_000, output=600_000_000)])
MODELS = {
    "support": Model(name="support", provider="openai", served="gpt-4o-mini", fallback="anthropic/claude-sonnet-4-5"),
    "loop": Model(name="loop", provider="openai", served="gpt-4o-mini", fallback="loop"),
}


def served(name: str, *providers: Provider) -> list[str]:
    found = targets(name, MODELS, providers or (OPENAI, CLAUDE), PRICES)
    return [f"{target.provider.name}/{target.served}" for target in found]


def test_a_plain_name_goes_to_the_provider_whose_pattern_matches() -> None:
    assert served("gpt-4o-mini") == ["openai/gpt-4o-mini"]


@pytest.mark.parametrize("name", ["anthropic/claude-x", "anthropic:claude-x"])
def test_a_provider_may_be_named(name: str) -> None:
    assert served(name) == ["anthropic/claude-x"]


def test_a_declared_model_brings_its_fallback() -> None:
    assert served("support") == ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"]


def test_a_model_that_falls_back_to_itself_has_one_target() -> None:
    assert served("loop") == ["openai/gpt-4o-mini"]


def test_an_unknown_model_comes_with_the_nearest_name() -> None:
    with pytest.raises(ModelNotFound) as caught:
        served("gtp-4o-mini")
    assert caught.value.facts["guess"] == "gpt-4o-mini"


@pytest.mark.parametrize("name", ["http://169.254.169.254/x", "evil.example/gpt-4o", "", "/", ":"])
def test_a_caller_never_names_a_host(name: str) -> None:
    with pytest.raises(ModelNotFound):
        served(name)


def test_a_disabled_provider_serves_nothing() -> None:
    with pytest.raises(ModelNotFound):
        served("gpt-4o", Provider(name="openai", kind=ProviderKind.OPENAI, base_url="x", models=("*",), enabled=False))


def test_a_dated_name_has_the_price_of_its_model() -> None:
    price = PRICES.of(OPENAI, "gpt-4o-mini-2024-07-18")
    assert price is not None
    assert price.input == 150_000_000


def test_an_own_price_comes_before_the_list() -> None:
    own = Price(id="openai/gpt-4o-mini", version="v", input=1)
    kind = Price(id="west/gpt-4o-mini", version="own", input=2)
    west = Provider(name="west", kind=ProviderKind.OPENAI, base_url="x")
    found = Prices([own, kind]).of(west, "gpt-4o-mini")
    assert found is kind


def test_the_simulated_provider_charges_as_the_real_one_would() -> None:
    assert PRICES.of(LOCAL, "gpt-4o-mini") is not None


def test_a_model_that_nobody_prices_has_no_price() -> None:
    assert PRICES.of(CLAUDE, "claude-x") is None


def test_scope_covers_the_name_asked_and_each_target() -> None:
    first, second = targets("support", MODELS, (OPENAI, CLAUDE), PRICES)
    assert may_ask("support", ())
    assert may_reach(first, ())
    scope = ("support", "gpt-4o-mini")
    assert may_ask("support", scope)
    assert may_reach(first, scope)
    assert not may_reach(second, scope)
    assert not may_ask("support", ("gpt-4o-mini",))


def test_a_provider_prefix_does_not_leave_the_scope() -> None:
    assert may_ask("openai/gpt-4o-mini", ("gpt-4o-mini",))
    assert not may_ask("openai/gpt-4o", ("gpt-4o-mini",))


def test_a_star_stands_at_the_end_alone() -> None:
    assert matches("gpt-4o", ("gpt-*",))
    assert not matches("gpt-4o", ("*-4o",))


def test_who_makes_a_model_says_its_price_before_who_sells_it() -> None:
    seller = Price(id="azure/gpt-4o-mini", version="v", input=1)
    maker = Price(id="openai/gpt-4o-mini", version="v", input=2)
    assert Prices([seller, maker]).of(LOCAL, "gpt-4o-mini") is maker


def test_a_name_that_is_a_key_is_hidden_and_one_with_a_price_is_believed() -> None:
    pasted = "sk-proj-" + "A1b2" * 10
    for target in (None, Target(LOCAL, pasted, None)):
        assert kept_name(f"simulated/{pasted}", target) == "simulated/***"
    priced = Target(OPENAI, "gpt-4o-mini", PRICES.of(OPENAI, "gpt-4o-mini"))
    assert kept_name("support", priced) == "support"
