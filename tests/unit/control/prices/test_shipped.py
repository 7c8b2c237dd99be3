import re
from importlib.resources import files

import pytest

from clavero.control import prices
from clavero.control.prices.shipped import document, shipped
from clavero.domain.pricing import Price
from clavero.simulator.models import ANTHROPIC, OPENAI

NANO = 1_000_000_000
LIST = {price.id: price for price in shipped()}
DEAREST = 700 * NANO  # a million tokens; o1-pro's output is $600


def test_the_list_is_dated_and_names_its_sources() -> None:
    whole = document()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", whole.version)
    assert {source["name"]: source["license"] for source in whole.sources} == {"genai-prices": "MIT", "litellm": "MIT"}
    assert {price.version for price in LIST.values()} == {whole.version}


def test_each_model_is_listed_once_and_the_file_stays_small() -> None:
    assert len(LIST) == len(document().prices)
    assert len(LIST) > 300
    assert len(files(prices).joinpath("catalogue.json").read_bytes()) < 400 * 1024


def test_no_entry_has_a_field_that_a_price_has_not() -> None:
    assert {name for entry in document().prices for name in entry} <= set(Price.__struct_fields__)


@pytest.mark.parametrize(
    ("identity", "dollars_in", "dollars_out"),
    [
        ("openai/gpt-4o-mini", 0.15, 0.60),
        ("openai/gpt-4o", 2.50, 10),
        ("openai/text-embedding-3-small", 0.02, 0),
        ("anthropic/claude-sonnet-4-5", 3, 15),
        ("anthropic/claude-haiku-4-5-20251001", 1, 5),
        ("azure/eu/gpt-4o-mini", 0.165, 0.66),
        ("gemini/gemini-2.5-pro", 1.25, 10),
    ],
)
def test_known_models_have_their_known_prices(identity: str, dollars_in: float, dollars_out: float) -> None:
    price = LIST[identity]
    assert (price.input, price.output) == (round(dollars_in * NANO), round(dollars_out * NANO))


@pytest.mark.parametrize("identity", LIST)
def test_every_price_is_plausible(identity: str) -> None:
    price = LIST[identity]
    kind, _, model = identity.partition("/")
    assert kind in {"openai", "anthropic", "azure", "gemini", "perplexity"}
    assert model
    assert 0 < price.input <= DEAREST
    assert 0 <= price.output <= DEAREST
    assert price.output or not price.cap_parameter
    assert 0 <= price.cached <= price.input
    assert price.cache_write in range(2 * price.input + 1)
    assert price.cache_write_long == 0 or price.cache_write <= price.cache_write_long <= 4 * price.input
    assert price.cap_parameter in {"", "max_tokens", "max_completion_tokens"}
    assert price.max_output <= price.context or not price.context
    assert price.image < NANO


@pytest.mark.parametrize("price", [price for price in LIST.values() if price.tiers], ids=lambda price: price.id)
def test_longer_input_is_never_cheaper(price: Price) -> None:
    above, known = 0, (price.input, price.output)
    for tier in price.tiers:
        assert tier.above > above
        assert (tier.input, tier.output) >= known
        above, known = tier.above, (tier.input, tier.output)


def test_every_model_that_the_simulator_knows_has_a_price() -> None:
    wanted = {f"openai/{name}" for name in OPENAI} | {"anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4-5"}
    assert wanted <= set(LIST)
    assert set(ANTHROPIC) & {identity.partition("/")[2] for identity in LIST}


def test_a_model_that_reasons_is_capped_by_its_own_parameter() -> None:
    assert LIST["openai/o4-mini"].cap_parameter == "max_completion_tokens"
    assert LIST["openai/gpt-5"].cap_parameter == "max_completion_tokens"
    assert LIST["openai/gpt-4o-mini"].cap_parameter == "max_tokens"
    assert LIST["openai/text-embedding-3-small"].cap_parameter == ""


def test_a_maker_comes_before_those_who_sell_its_model_too() -> None:
    order = list(LIST)
    assert order.index("openai/gpt-4o-mini") < order.index("azure/gpt-4o-mini")


def test_an_image_is_bounded_where_the_provider_says_how() -> None:
    assert LIST["openai/gpt-4o-mini"].image == 48_169 * 150_000_000 // 1_000_000
    assert LIST["openai/gpt-4o"].image == 1_445 * 2_500
    assert LIST["gemini/gemini-2.5-pro"].image == 0
