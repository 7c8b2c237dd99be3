"""Money: whole nano-dollars, never a float.

One US dollar is 1,000,000,000 nano-USD; an int64 holds nine billion dollars. Prices are nano-USD per million tokens,
so that $0.0375 per million is still whole.
"""

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import NewType

NanoUsd = NewType("NanoUsd", int)

NANO = 1_000_000_000
LARGEST = 2**63 - 1


def from_usd(text: str) -> NanoUsd:
    """Read dollars as people write them (`10`, `$1,204.50`); ValueError where it is no amount or not whole in nano."""
    try:
        exact = Decimal(text.strip().removeprefix("$").replace(",", "")) * NANO
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount in US dollars") from None
    if not exact.is_finite() or exact != exact.to_integral_value() or not 0 <= exact <= LARGEST:
        raise ValueError(f"{text!r} is not an amount in US dollars from 0 to 9,223,372,036.85")
    return NanoUsd(int(exact))


def to_usd(amount: int, places: int = 2) -> str:
    """Write nano-USD as `1,204.50`: 2 places for budgets, 4 for sums, 6 for one call; from 1 to 9.

    A half goes to the even digit.
    """
    unit = 10 ** (9 - places)
    whole, rest = divmod(abs(amount), unit)
    if 2 * rest > unit or (2 * rest == unit and whole & 1):
        whole += 1
    dollars, fraction = divmod(whole, 10**places)
    return f"{'-' if amount < 0 else ''}{dollars:,}.{fraction:0{places}}"


def per_million(quantity: int, price: int) -> NanoUsd:
    """The cost of a quantity at a price per million, rounded up to a whole nano-dollar."""
    return NanoUsd(-(-quantity * price // 1_000_000))


def price_from_usd(dollars_per_million: Decimal) -> int:
    """A price in nano-USD per million from dollars per million, rounded up."""
    return int((dollars_per_million * NANO).to_integral_value(ROUND_CEILING))
