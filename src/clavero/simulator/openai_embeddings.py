"""POST /v1/embeddings: unit vectors made of the text alone, so that the same text always lies at the same place."""

import hashlib
import math
import struct
from base64 import b64encode
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from clavero.simulator.house import Asked, House
from clavero.simulator.models import OPENAI, Card, find
from clavero.simulator.refusals import Dialect, no_such_model, refuse, too_long
from clavero.simulator.replies import Bill, Reply, plain
from clavero.simulator.tokens import count

_MOST_INPUTS = 2048
_Ids = Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=1)]
_FIXED_WIDTH = "text-embedding-ada-002"


class _Request(Struct):
    model: str
    input: Any
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None


_DECODER = msgspec.json.Decoder(_Request)


def exchange(asked: Asked, house: House) -> Reply:
    """Answer one request; raises `Refusal` or `msgspec.MsgspecError`."""
    request = _DECODER.decode(asked.body)
    card = find(OPENAI, request.model)
    if card is None or not card.width:
        raise no_such_model(Dialect.OPENAI, request.model)
    width = _width(request, card)
    inputs = _inputs(request.input)
    tokens = [count(one) if isinstance(one, str) else len(one) for one in inputs]
    if max(tokens) > card.context:
        raise too_long(Dialect.OPENAI, max(tokens), card.context)
    packed = request.encoding_format == "base64"
    vectors = (vector(one if isinstance(one, str) else repr(one), width) for one in inputs)
    usage = {"prompt_tokens": sum(tokens), "total_tokens": sum(tokens)}
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(found) if packed else found}
        for index, found in enumerate(vectors)
    ]
    document = {"object": "list", "data": data, "model": request.model, "usage": usage}
    return plain(document, Bill(request.model, sum(tokens)), house.pace)


@lru_cache(maxsize=256)
def vector(text: str, width: int) -> tuple[float, ...]:
    """A unit vector of this width, drawn from a hash of the text."""
    raw = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(2 * width)
    numbers = [value - 32767.5 for value in struct.unpack(f"<{width}H", raw)]
    norm = math.sqrt(sum(value * value for value in numbers))
    return tuple(value / norm for value in numbers)


def _packed(found: tuple[float, ...]) -> str:
    return b64encode(struct.pack(f"<{len(found)}f", *found)).decode()


def _width(request: _Request, card: Card) -> int:
    if request.dimensions is None:
        return card.width
    if card.name == _FIXED_WIDTH:
        message = "This model does not support specifying dimensions."
        raise refuse(Dialect.OPENAI, 400, message, param="dimensions")
    if request.dimensions > card.width:
        message = f"Invalid value for 'dimensions' = {request.dimensions}. Must be less than or equal to {card.width}."
        raise refuse(Dialect.OPENAI, 400, message, param="dimensions")
    return request.dimensions


def _inputs(given: Any) -> list[str | list[int]]:
    """A text, texts, token numbers or lists of these, as a list of inputs."""
    wanted: list[str | list[int]]
    if isinstance(given, list) and given and all(type(one) is int for one in given):
        wanted = [msgspec.convert(given, _Ids)]
    else:
        wanted = msgspec.convert([given] if isinstance(given, str) else given, list[str | _Ids])
    if not wanted or len(wanted) > _MOST_INPUTS or "" in wanted:
        raise refuse(Dialect.OPENAI, 400, "'$.input' is invalid. Please check the API reference.", param="input")
    return wanted
