from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.money import LARGEST, NANO, from_usd, per_million, price_from_usd, to_usd


@pytest.mark.parametrize(
    ("text", "nano"), [("10", 10 * NANO), ("$1,204.50", 1_204_500_000_000), ("0.000000001", 1), (" 0 ", 0)]
)
def test_dollars_are_read_as_people_write_them(text: str, nano: int) -> None:
    assert from_usd(text) == nano


@pytest.mark.parametrize("text", ["", "ten", "-1", "0.0000000001", "nan", "inf", "1e30", "9223372037"])
def test_what_is_no_whole_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        from_usd(text)


@given(st.integers(0, LARGEST))
def test_nine_places_say_it_exactly(amount: int) -> None:
    assert from_usd(to_usd(amount, 9)) == amount


def test_amounts_are_grouped_and_rounded_for_people() -> None:
    assert to_usd(1_204_505_000_000) == "1,204.50"
    assert to_usd(118_000, 6) == "0.000118"


@given(st.integers(-LARGEST, LARGEST), st.integers(1, 9))
def test_an_amount_is_written_as_exact_arithmetic_would(amount: int, places: int) -> None:
    exact = (Decimal(amount) / NANO).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    assert to_usd(amount, places) == f"{exact:,f}"


@given(st.integers(0, 10**9), st.integers(0, 10**12))
def test_a_part_of_a_nano_dollar_is_charged_whole(quantity: int, price: int) -> None:
    charged = per_million(quantity, price)
    assert charged * 1_000_000 >= quantity * price
    assert (charged - 1) * 1_000_000 < quantity * price or charged == 0


def test_a_price_below_a_nano_dollar_a_token_is_still_whole() -> None:
    assert price_from_usd(Decimal("0.0375")) == 37_500_000
