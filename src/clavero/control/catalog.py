"""What models cost: the dated list that ships with clavero, and above it the prices that an operator sets.

A model without a price is *unpriced*, which is a state and not zero: a hard budget refuses it. Usage keeps the version
that it was costed with, so a later list changes nothing that was charged.
"""

from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.find import named
from clavero.control.prices.shipped import shipped
from clavero.domain.access import SYSTEM, Actor
from clavero.domain.pricing import Price, Tier
from clavero.domain.refusals import InvalidValue
from clavero.domain.scopes import model as model_name

OWN = "own"  # the versions of an operator's prices begin with it; no import writes over them
_DEAREST = 10**15  # nano-USD per million tokens: a million dollars, beyond any list and far below 64 bits
_CAPS = ("", "max_tokens", "max_completion_tokens", "max_output_tokens")


class Imported(Struct, frozen=True):
    """What an import did: the version of the list, how many prices it changed, how many of our own it left alone."""

    version: str
    changed: int
    kept: int


@operation("price.import")
async def import_prices(change: Changing, *, prices: tuple[Price, ...], reason: str = "") -> Imported:  # noqa: ARG001 - the audit's
    """Take a whole list; prices that the operator set stay. Prices that left the list stay too, under its date."""
    for price in prices:
        _check(price)
    known = {price.id: price for price in await change.find(Price)}
    own = {name for name, price in known.items() if is_own(price)}
    fresh = [price for price in prices if price.id not in own and known.get(price.id) != price]
    await change.put_all(fresh)
    return Imported(prices[0].version if prices else "", len(fresh), sum(price.id in own for price in prices))


@operation("price.set")
async def set_price(change: Changing, *, price: Price, reason: str = "") -> Price:  # noqa: ARG001 - the audit's
    """Set a price of one's own; nano-USD per million tokens. What it does not say is as the list has it."""
    before = await change.get(Price, price.id)
    if before is not None:
        price = replace(
            price,
            context=price.context or before.context,
            max_output=price.max_output or before.max_output,
            cap_parameter=price.cap_parameter or before.cap_parameter,
        )
    price = replace(_check(price), version=_own_version(change.now_ns))
    await change.put(price)
    return price


@operation("price.remove")
async def remove_price(change: Changing, *, name: str, reason: str = "") -> Price:  # noqa: ARG001 - the audit's
    """Take an own price away: the shipped one counts again; where there is none the model is unpriced."""
    before = await named(change, Price, name)
    listed = next((price for price in shipped() if price.id == name), None)
    if listed is not None:
        await change.put(listed)
        return listed
    await change.delete(Price, name)
    return before


async def update_prices(desk: Desk, actor: Actor = SYSTEM) -> Imported | None:
    """Import the shipped list where it says anything new; None where it does not. Called at each start."""
    prices = shipped()
    known = {price.id: price for price in await list_prices(desk)}
    if all(price.id in known and (is_own(known[price.id]) or known[price.id] == price) for price in prices):
        return None
    return await perform(desk, actor, import_prices, prices=prices, reason="the list that ships with this version")


async def list_prices(desk: Desk, *, containing: str = "") -> list[Price]:
    """Every price by its id, `openai/gpt-4o-mini`; those whose id contains a text."""
    async with desk.store.read() as look:
        return [price for price in await look.find(Price) if containing.lower() in price.id.lower()]


def is_own(price: Price) -> bool:
    """Whether an operator set it."""
    return price.version.partition("-")[0] == OWN


def _own_version(now_ns: int) -> str:
    return f"{OWN}-{datetime.fromtimestamp(now_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _check(price: Price) -> Price:
    """A mistyped price would poison spend: every figure is bounded, and tiers rise."""
    provider, slash, name = price.id.partition("/")
    if not provider or not slash:
        raise InvalidValue("id", "the kind of a provider and a model, as in openai/gpt-4o-mini")
    model_name(name, "id")
    for part in (price, *price.tiers):
        for field in ("input", "output", "cached", "cache_write", "cache_write_long"):
            _bounded(field, getattr(part, field), _DEAREST)
    _bounded("image", price.image, _DEAREST)
    for field in ("context", "max_output"):
        _bounded(field, getattr(price, field), 2**31)
    if price.cap_parameter not in _CAPS:
        raise InvalidValue("cap_parameter", f"among {', '.join(_CAPS[1:])}")
    _rising(price.tiers)
    return price


def _bounded(field: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise InvalidValue(field, f"from 0 to {most:,}")


def _rising(tiers: tuple[Tier, ...]) -> None:
    starts = [tier.above for tier in tiers]
    if starts != sorted(set(starts)) or any(start <= 0 for start in starts):
        raise InvalidValue("tiers", "in rising order of `above`")
