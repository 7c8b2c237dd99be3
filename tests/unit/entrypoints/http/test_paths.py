import pytest

from clavero.domain.endpoints import Endpoint
from clavero.entrypoints.http.errors import Dialect
from clavero.entrypoints.http.paths import TABLE, dialect_of, find


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(
    ("path", "endpoint", "dialect"),
    [
        ("/chat/completions", Endpoint.CHAT, Dialect.OPENAI),
        ("/responses", Endpoint.RESPONSES, Dialect.RESPONSES),
        ("/embeddings", Endpoint.EMBEDDINGS, Dialect.OPENAI),
        ("/messages", Endpoint.MESSAGES, Dialect.ANTHROPIC),
        ("/messages/count_tokens", Endpoint.COUNT_TOKENS, Dialect.ANTHROPIC),
    ],
)
def test_each_endpoint_stands_with_and_without_its_version(
    prefix: str, path: str, endpoint: Endpoint, dialect: Dialect
) -> None:
    place = find(prefix + path + "?api-version=1")
    assert place is not None
    assert (place.endpoint, place.dialect, place.methods) == (endpoint, dialect, ("POST",))
    assert dialect_of(prefix + path, {}) is dialect


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/gpt-4o", "/models/a/b", "/v1/models/a%2Fb"])
def test_models_are_read(path: str) -> None:
    place = find(path)
    assert place is not None
    assert (place.endpoint, place.methods) == (Endpoint.MODELS, ("GET", "HEAD"))
    assert dialect_of(path, {}) is Dialect.OPENAI
    assert dialect_of(path, {"anthropic-version": "2023-06-01"}) is Dialect.ANTHROPIC


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/", "//v1/chat/completions", "/V1/chat/completions", "/v1/../v1/chat/completions",
        "/v1/chat%2Fcompletions", "/v1/chat", "", "/", "http://x/v1/chat/completions", "/v1/modelsx", "/v2/responses",
    ],
)  # fmt: skip
def test_nothing_is_normalised_into_a_path(path: str) -> None:
    assert find(path) is None


def test_an_unknown_path_is_answered_in_the_dialect_of_its_headers() -> None:
    assert dialect_of("/nowhere", {}) is Dialect.OPENAI
    assert dialect_of("/nowhere", {"anthropic-version": "1"}) is Dialect.ANTHROPIC


def test_every_path_has_its_endpoint_and_every_endpoint_its_path() -> None:
    assert {place.endpoint for place in TABLE.values()} == set(Endpoint)
