from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.entrypoints.http.console.things import NOW, an_exchange

from clavero.domain.catalogue import Language
from clavero.domain.pricing import Price, Tier, cost
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.messages import LANGUAGES, Messages
from clavero.entrypoints.http.console.reads import Leg
from clavero.entrypoints.http.console.request_views import ExchangeView, Told, address, exchange_view, rows

PRICE = Price(id="openai/gpt-4o-mini", version="2026-11-01", input=250_000_000, cached=25_000_000, output=2_000_000_000)
COSTED = an_exchange(cost_n=cost(PRICE, an_exchange().tokens))


def view(
    *exchanges: Exchange, price: Price | None = PRICE, language: Language = "en", amounts: Any = ()
) -> ExchangeView:
    legs = [Leg(one, tuple(amounts)) for one in exchanges]
    told = Told(legs, "prod-support-chat-01", {"key/x:day": "key prod-x-01 (a day)"}, price)
    return exchange_view(told, Messages(language), Formats(language, NOW))


def test_cost_lines_have_unit_prices_and_sum_to_what_was_settled() -> None:
    shown = view(COSTED, amounts=[("key/x:day", 0, COSTED.cost_n)])
    assert [(line.name, line.tokens, line.price, line.cost) for line in shown.lines] == [
        ("Input", "1,870", "0.250", "0.000468"),
        ("Input, provider cache", "2,048", "0.025", "0.000051"),
        ("Output", "641", "2.000", "0.001282"),
    ]
    assert (shown.tokens, shown.cost) == ("4,559", "0.001801")
    assert shown.money.startswith("Held 0.012092 at worst case, 0.010291 returned.")
    assert "key prod-x-01 (a day)" in shown.money


@pytest.mark.parametrize(
    ("changed", "price"),
    [
        ({}, None),
        ({}, replace(PRICE, version="2026-12-01")),
        ({"cost_n": 1}, PRICE),
        ({"estimated": True}, PRICE),
    ],
)
def test_a_unit_price_that_does_not_make_the_sum_is_not_shown(changed: dict[str, Any], price: Price | None) -> None:
    shown = view(replace(COSTED, **changed), price=price)
    assert {line.price for line in shown.lines} == {"\u2013"}


def test_a_long_call_shows_the_prices_of_its_tier() -> None:
    tiered = replace(PRICE, tiers=(Tier(1000, 500_000_000, 3_000_000_000),))
    shown = view(an_exchange(cost_n=cost(tiered, COSTED.tokens)), price=tiered)
    assert [line.price for line in shown.lines] == ["0.500", "0.500", "3.000"]


def test_a_recovered_attempt_is_amber_and_a_final_failure_red() -> None:
    first = Attempt("azure", "m", 1100, 400_000, 429, 0, "upstream_rate_limited")
    second = Attempt("openai-main", "m", 630_000, 4_620_000, 200, 1_310_000, "", 230_000)
    shown = view(replace(COSTED, attempts=(first, second)))
    assert (shown.answer, shown.tone) == ("200, 2 attempts", "warn")
    assert 'class="fill warn"' in shown.waterfall
    assert "230\u00a0ms" in shown.waterfall
    silent = Attempt("openai-main", "m", 1100, 900_000, 0, 0, "upstream_timeout")
    failed = view(replace(COSTED, attempts=(silent,), status=504, code="upstream_timeout", cost_n=0))
    assert 'class="fill bad"' in failed.waterfall
    assert "no answer" in failed.waterfall


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_explained_with_its_remedy(language: Language) -> None:
    refused = an_exchange(attempts=(), tokens=Tokens(), cost_n=0, held_n=0, status=429, code="insufficient_quota")
    shown = view(refused, language=language)
    assert shown.problem.endswith(".")
    assert shown.remedy
    assert shown.waterfall == ""
    assert shown.lines == []


def test_every_leg_of_a_request_counts() -> None:
    shown = view(replace(COSTED, final=False, cost_n=1_000), COSTED)
    assert shown.cost == "0.001802"
    assert shown.tokens == "9,118"


def test_rows_keep_the_filters_and_mark_the_one_that_is_open() -> None:
    made = rows([COSTED], {}, {"status": "200", "key": ""}, COSTED.request_id, (Messages("en"), Formats("en", NOW)))
    assert made[0].url == "/requests/req_7Hc2Vn0q?status=200"
    assert made[0].on
    assert address("/keys", {"q": ""}) == "/keys"
    assert address("/keys", {"q": "a&b c"}, page="2") == "/keys?q=a%26b+c&page=2"
