"""What models cost: the list that ships with clavero, and the operator's own prices above it."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends
from pydantic import Field

from clavero.control import catalog
from clavero.domain.money import LARGEST, NANO, price_from_usd
from clavero.domain.pricing import Price, Tier
from clavero.domain.refusals import InvalidValue
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Body, Nano, Reasoned, Text, View, nano_of

routes = router("prices")
Reader = Annotated[Caller, Depends(Needs("price.read"))]


class RatesView(View):
    """Nano-USD per million tokens; 0 for the kinds of input is the price of `input`."""

    input: Nano
    output: Nano
    cached: Nano
    cache_write: Nano
    cache_write_long: Nano


class TierView(RatesView):
    """Prices of a whole call whose input is longer than `above` tokens."""

    above: int


class PriceView(RatesView):
    """The price of one model; `own` was set by an operator, `version` names the list that it is from."""

    id: str
    version: str
    own: bool
    image: Nano
    tiers: list[TierView]
    context: int
    max_output: int
    cap_parameter: str


class PricesView(View):
    """Prices by their id, `openai/gpt-4o-mini`."""

    prices: list[PriceView]


class RatesBody(Body):
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    cache_write: Decimal = Decimal(0)
    cache_write_long: Decimal = Decimal(0)


class TierBody(RatesBody):
    """Prices of a whole call whose input is longer than `above` tokens."""

    above: Annotated[int, Field(ge=1, le=2**31)]


class PriceBody(RatesBody, Reasoned):
    """An own price; `image` is the most US dollars that one image reference can cost."""

    image: Decimal = Decimal(0)
    tiers: Annotated[tuple[TierBody, ...], Field(max_length=20)] = ()
    context: int = 0
    max_output: int = 0
    cap_parameter: Text = ""


@routes.get("/prices")
async def list_prices(caller: Reader, model: Text = "") -> PricesView:
    """Every price; those whose id contains a text."""
    return PricesView(prices=[_view(price) for price in await catalog.list_prices(caller.desk, containing=model)])


@routes.put("/prices/{name:path}")
async def set_price(caller: Annotated[Caller, Depends(Needs("price.set"))], name: str, body: PriceBody) -> PriceView:
    """Set a price of one's own, `provider/model`; the list never writes over it."""
    tiers = tuple(Tier(above=tier.above, **_rates(tier, f"tiers.{n}.")) for n, tier in enumerate(body.tiers))
    price = Price(
        id=name,
        version="",
        image=nano_of(body.image, "image"),
        tiers=tiers,
        context=body.context,
        max_output=body.max_output,
        cap_parameter=body.cap_parameter,
        **_rates(body),
    )
    return _view(await caller.do(catalog.set_price, price=price, reason=body.reason))


@routes.delete("/prices/{name:path}")
async def remove_price(
    caller: Annotated[Caller, Depends(Needs("price.remove"))], name: str, reason: Text = ""
) -> PriceView:
    """Take an own price away; the list's counts again, or the model is unpriced."""
    return _view(await caller.do(catalog.remove_price, name=name, reason=reason))


def _rates(body: RatesBody, place: str = "") -> dict[str, int]:
    return {field: _rate(getattr(body, field), f"{place}{field}") for field in RatesBody.model_fields}


def _rate(dollars: Decimal, field: str) -> int:
    if not dollars.is_finite() or not 0 <= dollars <= LARGEST // NANO:
        raise InvalidValue(field, "US dollars per million tokens", "0.15")
    return price_from_usd(dollars)


def _view(price: Price) -> PriceView:
    return PriceView(
        id=price.id,
        version=price.version,
        own=catalog.is_own(price),
        image=price.image,
        tiers=[TierView(above=tier.above, **_told(tier)) for tier in price.tiers],
        context=price.context,
        max_output=price.max_output,
        cap_parameter=price.cap_parameter,
        **_told(price),
    )


def _told(rates: Price | Tier) -> dict[str, int]:
    return {field: getattr(rates, field) for field in RatesView.model_fields}
