"""Calls carry our key and a short list of the caller's headers, to the path of the provider's base URL."""

import secrets

import pytest

from clavero.domain.credentials import ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidHeader
from clavero.wire.outgoing import headers, target


@pytest.mark.parametrize(
    ("base", "endpoint", "path"),
    [
        ("https://api.openai.com", Endpoint.CHAT, "/v1/chat/completions"),
        ("https://api.openai.com/v1/", Endpoint.RESPONSES, "/v1/responses"),
        ("http://127.0.0.1:8000/gpu/7", Endpoint.EMBEDDINGS, "/gpu/7/v1/embeddings"),
        ("https://api.anthropic.com", Endpoint.COUNT_TOKENS, "/v1/messages/count_tokens"),
    ],
)
def test_a_path_stands_behind_the_path_of_the_base_url(base: str, endpoint: Endpoint, path: str) -> None:
    assert target(base, endpoint) == path


def test_openai_gets_a_bearer_and_nothing_else_of_the_callers() -> None:
    key = secrets.token_urlsafe(24)
    caller = {"authorization": "Bearer theirs", "x-api-key": "theirs", "cookie": "c", "openai-beta": "x=v1",
              "openai-organization": "org", "host": "evil", "anthropic-version": "x", "x-forwarded-for": "1"}  # fmt: skip
    sent = dict(headers(ProviderKind.OPENAI, Endpoint.CHAT, key, caller, version="0.1", stream=True))
    assert sent == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        "user-agent": "clavero/0.1",
        "authorization": f"Bearer {key}",
        "openai-beta": "x=v1",
    }


def test_anthropic_gets_its_own_header_and_the_callers_version_and_betas() -> None:
    key = secrets.token_urlsafe(24)
    caller = {"authorization": "Bearer theirs", "anthropic-version": "2026-10-21", "anthropic-beta": "a-1,b-2"}
    sent = dict(headers(ProviderKind.ANTHROPIC, Endpoint.MESSAGES, key, caller, version="0.1"))
    assert (sent["x-api-key"], sent["anthropic-version"], sent["anthropic-beta"]) == (key, "2026-10-21", "a-1,b-2")
    assert "authorization" not in sent
    assert dict(headers(ProviderKind.ANTHROPIC, Endpoint.MESSAGES, key, {}, version="0.1"))["anthropic-version"]


def test_a_simulated_provider_gets_what_its_endpoint_wants() -> None:
    as_openai = dict(headers(ProviderKind.SIMULATED, Endpoint.CHAT, "k", {}, version="0.1"))
    as_anthropic = dict(headers(ProviderKind.SIMULATED, Endpoint.COUNT_TOKENS, "k", {}, version="0.1"))
    assert as_openai["authorization"] == "Bearer k"
    assert as_anthropic["x-api-key"] == "k"


def test_without_a_key_none_is_sent() -> None:
    assert "authorization" not in dict(headers(ProviderKind.OPENAI_LIKE, Endpoint.CHAT, "", {}, version="0.1"))


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "é", "x" * 9000, "a\x00"])
def test_a_header_that_is_not_plain_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        headers(ProviderKind.ANTHROPIC, Endpoint.MESSAGES, "k", {"anthropic-beta": value}, version="0.1")
    assert caught.value.facts["name"] == "anthropic-beta"
