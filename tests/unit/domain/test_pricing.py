from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.pricing import Bound, Price, Tier, affordable, cost, input_bound, worst_case
from clavero.domain.usage import Tokens

MINI = Price(id="openai/gpt-4o-mini", version="v", input=150_000_000, output=600_000_000, cached=75_000_000)

rates = st.integers(0, 10**11)
prices = st.builds(
    Price,
    id=st.just("x/y"), version=st.just("v"), input=rates, output=rates, cached=rates, cache_write=rates,
    tiers=st.lists(st.builds(Tier, st.integers(0, 10**6), rates, rates, rates, rates), max_size=2).map(
        lambda tiers: tuple(sorted(tiers, key=lambda tier: tier.above))
    ),
)  # fmt: skip
counts = st.integers(0, 10**6)
tokens = st.builds(Tokens, counts, counts, counts, counts, counts)


def test_a_call_costs_what_the_list_says() -> None:
    assert cost(MINI, Tokens(input=1000, cached=1000, output=500, reasoning=500)) == 150_000 + 75_000 + 600_000


def test_kinds_without_a_rate_cost_what_input_does() -> None:
    plain = Price(id="x/y", version="v", input=1_000_000, output=2_000_000)
    assert cost(plain, Tokens(cached=10, cache_write=10)) == 20


def test_a_tier_counts_for_the_whole_call() -> None:
    tiered = Price(id="x/y", version="v", input=1_000_000, output=1_000_000, tiers=(Tier(100, 2_000_000, 3_000_000),))
    assert cost(tiered, Tokens(input=100, output=1)) == 101
    assert cost(tiered, Tokens(input=101, output=1)) == 202 + 3


@given(prices, tokens)
def test_the_worst_case_is_never_below_the_cost(price: Price, used: Tokens) -> None:
    assert worst_case(price, Bound(used.all_input), used.all_output) >= cost(price, used)


@given(prices, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5))
def test_the_worst_case_grows_with_what_is_asked(price: Price, size: int, output: int, more: int) -> None:
    assert worst_case(price, Bound(size), output + more) >= worst_case(price, Bound(size), output)
    assert worst_case(price, Bound(size + more), output) >= worst_case(price, Bound(size), output)


@given(prices, st.integers(0, 10**5), st.integers(0, 10**13))
def test_what_money_buys_costs_no_more_than_that_money(price: Price, size: int, money: int) -> None:
    output = affordable(price, Bound(size), money)
    if 0 <= output < 1 << 31:
        assert worst_case(price, Bound(size), output) <= money + 1
    if output < 0:
        assert worst_case(price, Bound(size), 0) > money


def test_bytes_bound_tokens_and_images_are_counted_apart() -> None:
    assert input_bound(1000, 2, 3).tokens > 1000
    assert worst_case(MINI, input_bound(0, 1, 0), 0) >= cost(MINI, Tokens(input=48_169))
