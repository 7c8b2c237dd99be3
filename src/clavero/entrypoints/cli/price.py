"""`clavero price`: what models cost, per million tokens."""

from typing import Annotated, Any

from cyclopts import Parameter

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.failure import usage
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.show import Row
from clavero.entrypoints.cli.speech import speak


def list_(model: str = "", /, *, common: Common = COMMON) -> int:
    """List prices in dollars per million tokens, and the list each is from.

    Example: clavero price list gpt-4o

    Parameters
    ----------
    model
        Prices whose id contains this text alone.
    """
    answer = common.api().get("/prices", model=model)
    if common.json:
        return common.answer(answer)
    return common.table("MODEL INPUT OUTPUT CACHED LIST", [_row(one) for one in answer["prices"]], "clavero price list")


def set_(  # noqa: PLR0913 - one parameter for each flag
    model: str,
    /,
    *,
    input_: Annotated[str, Parameter(name="--input")],
    output: str = "0",
    cached: str = "0",
    cache_write: str = "0",
    image: str = "0",
    context: int | None = None,
    max_output: int | None = None,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Set a price of your own; the list that ships with clavero never writes over it.

    Example: clavero price set openai_like/llama-3.3-70b --input 0.59 --output 0.79

    Parameters
    ----------
    model
        Kind of provider and model: openai/gpt-4o-mini.
    input_
        Dollars per million input tokens.
    output
        Dollars per million output tokens.
    cached
        Dollars per million input tokens read from the provider's cache; 0 is as input.
    cache_write
        Dollars per million input tokens written to it; 0 is as input.
    image
        The most dollars that one image reference can cost; 0 where an image cannot be bounded.
    context
        Tokens that the model takes.
    max_output
        Tokens that it gives at most.
    reason
        Why; kept in the audit trail.
    """
    rates = {"input": input_, "output": output, "cached": cached, "cache_write": cache_write, "image": image}
    sent = {name: amount(name, text) for name, text in rates.items()}
    api = common.api()
    told = api.put(path_of("prices", model), **sent, context=context, max_output=max_output, reason=reason)
    common.note("price_set", name=told["id"], rates=f"{_rate(told['input'])} / {_rate(told['output'])}")
    return common.answer(told) if common.json else 0


def remove(model: str, /, *, reason: str = "", common: Common = COMMON) -> int:
    """Take an own price away; the list's counts again, or the model has none.

    Example: clavero price remove openai/gpt-4o-mini

    Parameters
    ----------
    model
        Kind of provider and model.
    reason
        Why; kept in the audit trail.
    """
    told = common.api().delete(path_of("prices", model), reason=reason)
    common.note("removed", name=told["id"])
    return common.answer(told) if common.json else 0


def amount(name: str, text: str) -> str:
    """Dollars as the API takes them: exact, as text; a usage error for anything else."""
    from decimal import Decimal, InvalidOperation

    try:
        exact = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or exact < 0:
        raise usage(speak("bad_amount", name=name.replace("_", "-")), f"--{name.replace('_', '-')} 0.15", "bad_amount")
    return str(exact)


def _rate(nano: int) -> str:
    return dollars(nano, 4)


def _row(price: dict[str, Any]) -> Row:
    cached = _rate(price["cached"]) if price["cached"] else "-"
    return price["id"], _rate(price["input"]), _rate(price["output"]), cached, price["version"]
