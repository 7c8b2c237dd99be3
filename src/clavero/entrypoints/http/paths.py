"""The paths of the gateway: an exact look-up, no normalising, with and without `/v1`."""

from typing import NamedTuple

from clavero.domain.endpoints import Endpoint
from clavero.entrypoints.http.errors import Dialect


class Place(NamedTuple):
    """What stands at a path: an endpoint, its dialect and the methods it takes."""

    endpoint: Endpoint
    dialect: Dialect
    methods: tuple[str, ...]


_POSTED = {
    "/chat/completions": (Endpoint.CHAT, Dialect.OPENAI),
    "/responses": (Endpoint.RESPONSES, Dialect.RESPONSES),
    "/embeddings": (Endpoint.EMBEDDINGS, Dialect.OPENAI),
    "/messages": (Endpoint.MESSAGES, Dialect.ANTHROPIC),
    "/messages/count_tokens": (Endpoint.COUNT_TOKENS, Dialect.ANTHROPIC),
}
_READ = ("GET", "HEAD")
_MODELS = Place(Endpoint.MODELS, Dialect.OPENAI, _READ)

TABLE = {prefix + path: Place(*what, ("POST",)) for path, what in _POSTED.items() for prefix in ("", "/v1")} | {
    prefix + "/models": _MODELS for prefix in ("", "/v1")
}


def find(target: str) -> Place | None:
    """What stands at a request target; a query is not looked at, as keys are never taken from it."""
    path = target.partition("?")[0]
    place = TABLE.get(path)
    if place is None and path.startswith(("/v1/models/", "/models/")):
        return _MODELS
    return place


def dialect_of(target: str, headers: dict[str, str]) -> Dialect:
    """The dialect for a path, known or not: Anthropic's clients say so in a header."""
    place = find(target)
    if place is not None and place.endpoint is not Endpoint.MODELS:
        return place.dialect
    return Dialect.ANTHROPIC if "anthropic-version" in headers else Dialect.OPENAI
