"""A provider's refusal becomes a problem of ours by what it means, and repeats no key."""

import json
from typing import Any

import pytest

from clavero.domain import errors
from clavero.wire.failures import message_of, problem, retry_after, stated


def openai(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


CASES: list[tuple[int, Any, type[errors.Problem]]] = [
    (400, openai("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", code="context_length_exceeded"), errors.ContextLengthExceeded),
    (400, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), errors.ContextLengthExceeded),
    (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "type": "BadRequestError", "code": 400}, errors.ContextLengthExceeded),
    (400, {"error": {"code": 400, "message": "request (5024 tokens) exceeds the available context size (2048 tokens), try increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 5024, "n_ctx": 2048}}, errors.ContextLengthExceeded),
    (400, openai("The response was filtered", code="content_filter"), errors.ContentFilter),
    (400, openai("Rejected", "image_generation_user_error", "moderation_blocked"), errors.ContentFilter),
    (400, openai("Unknown parameter: 'foo'."), errors.UpstreamRefused),
    (400, anthropic("invalid_request_error", "Your credit balance is too low to access the API."), errors.UpstreamAuthFailed),
    (401, openai("Incorrect API key provided", code="invalid_api_key"), errors.UpstreamAuthFailed),
    (401, anthropic("authentication_error", "invalid x-api-key"), errors.UpstreamAuthFailed),
    (403, anthropic("permission_error", "no"), errors.UpstreamAuthFailed),
    (403, openai("Project has no access to model", code="model_not_found"), errors.ModelNotFound),
    (404, openai("The model `gpt-9` does not exist", code="model_not_found"), errors.ModelNotFound),
    (404, anthropic("not_found_error", "model: claude-9"), errors.ModelNotFound),
    (404, {"error": "model 'llama9' not found, try pulling it first"}, errors.ModelNotFound),
    (404, {"detail": "Not Found"}, errors.UpstreamRefused),
    (407, "", errors.UpstreamProxyFailed),
    (413, anthropic("request_too_large", "too big"), errors.UpstreamRefused),
    (429, openai("Rate limit reached", "requests", "rate_limit_exceeded"), errors.UpstreamRateLimited),
    (429, openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), errors.UpstreamAuthFailed),
    (429, "Too Many Requests", errors.UpstreamRateLimited),
    (500, openai("The server had an error", "server_error"), errors.UpstreamError),
    (501, {"error": {"code": 501, "message": "This server does not support embeddings. Start it with `--embeddings`", "type": "not_supported_error"}}, errors.UpstreamRefused),
    (502, "<html>bad gateway</html>", errors.UpstreamError),
    (529, anthropic("overloaded_error", "Overloaded"), errors.UpstreamError),
    (408, None, errors.UpstreamError),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, errors.UpstreamRefused),
    (400, [{"error": {"code": 400, "message": "API key expired", "status": "INVALID_ARGUMENT"}}], errors.UpstreamRefused),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind"), CASES)
def test_an_error_answer_means_one_problem(status: int, body: Any, kind: type[errors.Problem]) -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    found = problem("acme", "m-1", status, raw)
    assert type(found) is kind
    assert found.facts["provider"] == "acme"
    assert found.facts["model"] == "m-1"


def test_the_numbers_of_a_context_that_is_too_long_are_taken_over() -> None:
    first = problem("acme", "m", 400, json.dumps(CASES[0][1]).encode())
    assert str(first) == "9001 tokens; m takes 8192"
    llama = problem("acme", "m", 400, json.dumps(CASES[3][1]).encode())
    assert str(llama) == "5024 tokens; m takes 2048"
    assert str(problem("acme", "m", 400, json.dumps(CASES[1][1]).encode())) == "210000 tokens; m takes 200000"
    assert str(stated("acme", "m", 400, {"code": "context_length_exceeded"})) == "Too many tokens; m takes fewer"


def test_an_error_within_a_stream_means_the_same_without_a_status() -> None:
    assert type(stated("acme", "m", 0, {"type": "overloaded_error", "message": "full"})) is errors.UpstreamError
    assert type(stated("acme", "m", 0, {"code": "rate_limit_exceeded"})) is errors.UpstreamRateLimited
    assert type(stated("acme", "m", 0, {})) is errors.UpstreamError


def test_a_provider_that_repeats_a_key_is_not_repeated() -> None:
    key = "sk-proj-" + "Ab3" * 12
    found = problem("acme", "m", 400, json.dumps(openai(f"Bad header: {key}")).encode())
    assert key not in str(found)
    assert "Ab3Ab3" not in str(found.facts)
    assert "Bad header" in str(found)


def test_a_long_message_is_shortened_to_one_line() -> None:
    said = message_of({"message": "a\nb " * 1000})
    assert len(said) == 500
    assert "\n" not in said
    assert message_of({"message": ["no text"]}) == ""
    assert message_of({}) == ""


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[" * 5000, b"7", b"null", b'{"error": 7}', b'{"error": {"message": {}, "code": []}}']
)
def test_an_error_answer_of_any_kind_is_some_problem(body: bytes) -> None:
    for status in (0, 400, 401, 404, 418, 429, 500):
        assert str(problem("acme", "m", status, body))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_read_where_it_can_be_used(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds
