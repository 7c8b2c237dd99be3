import json
from typing import Any

import pytest

from clavero.domain import errors
from clavero.domain.catalogue import Language, problems
from clavero.domain.errors import Problem
from clavero.domain.money import NANO
from clavero.entrypoints.http.errors import STATUS, Dialect, codes_of, explain, render, render_event, status_of

WAIT = "Lower max_tokens, or wait until 2026-11-23T00:00:00Z."
QUOTA = errors.InsufficientQuota(
    budget="team/support",
    left=NANO // 100,
    worst=NANO // 50,
    limit_n=10 * NANO,
    spent_n=9_980_000_000,
    held_n=NANO // 100,
    resets_at="2026-11-23T00:00:00Z",
)


def told(problem: Problem, dialect: Dialect, language: Language = "en") -> tuple[int, dict[str, str], dict[str, Any]]:
    status, headers, body = render(problem, dialect, "req_1", language)
    return status, dict(headers), json.loads(body)


def test_the_table_is_total_and_holds_nothing_else() -> None:
    assert {(kind.fault, code) for code, kind in problems().items()} == set(STATUS)


@pytest.mark.requirement(32)
@pytest.mark.parametrize("kind", problems().values(), ids=problems())
@pytest.mark.parametrize("dialect", Dialect)
def test_every_problem_is_an_error_in_every_dialect(kind: type[Problem], dialect: Dialect) -> None:
    status, headers, document = told(kind(), dialect)
    assert 400 <= status < 600
    assert headers["request-id"] == "req_1"
    message = document["error"]["message"]
    fix = document["error"].get("fix") or document["error"]["details"]["fix"]
    assert message.endswith(fix)
    assert len(message) > len(fix)


def test_a_budget_refusal_has_the_exact_openai_shape() -> None:
    status, headers, document = told(QUOTA, Dialect.OPENAI)
    assert status == 429
    assert headers["x-should-retry"] == "false"
    assert "retry-after" not in headers
    assert list(document["error"].items()) == [
        (
            "message",
            f"team/support has $0.010000 left; this call may cost $0.020000. {WAIT}",
        ),
        ("type", "insufficient_quota"),
        ("param", None),
        ("code", "insufficient_quota"),
        ("fix", WAIT),
        ("doc_url", "http://127.0.0.1:4142/errors/insufficient_quota"),
        ("request_id", "req_1"),
        ("limit_source", "team/support"),
        ("limit_usd", "10.00"),
        ("spent_usd", "9.98"),
        ("held_usd", "0.01"),
        ("resets_at", "2026-11-23T00:00:00Z"),
    ]


def test_a_budget_refusal_has_the_exact_anthropic_shape() -> None:
    _, _, document = told(QUOTA, Dialect.ANTHROPIC)
    assert list(document) == ["type", "error", "request_id"]
    assert list(document["error"]) == ["type", "message", "details"]
    assert document["error"]["type"] == "rate_limit_error"
    assert list(document["error"]["details"])[:3] == ["error_code", "fix", "doc_url"]
    assert document["error"]["details"]["limit_usd"] == "10.00"


@pytest.mark.parametrize(
    ("problem", "openai", "anthropic"),
    [
        (errors.InvalidApiKey(kid="x"), "invalid_request_error", "authentication_error"),
        (errors.MalformedJson(line=3, column=18, what="y"), "invalid_request_error", "invalid_request_error"),
        (errors.ModelNotAllowed(model="x"), "invalid_request_error", "permission_error"),
        (errors.RateLimitExceeded(), "rate_limit_error", "rate_limit_error"),
        (errors.Overloaded(), "server_error", "overloaded_error"),
        (errors.UpstreamTimeout(), "server_error", "timeout_error"),
        (errors.BodyTooLarge(), "invalid_request_error", "request_too_large"),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_types_follow_the_status(problem: Problem, openai: str, anthropic: str) -> None:
    assert told(problem, Dialect.OPENAI)[2]["error"]["type"] == openai
    assert told(problem, Dialect.ANTHROPIC)[2]["error"]["type"] == anthropic


@pytest.mark.requirement(33)
def test_a_place_is_told_in_numbers_and_a_parameter_by_name() -> None:
    document = told(errors.MalformedJson(line=3, column=18, what="expected a comma"), Dialect.OPENAI)[2]
    assert (document["error"]["line"], document["error"]["column"]) == (3, 18)
    assert document["error"]["message"].startswith("Invalid JSON at line 3, column 18: expected a comma.")
    assert told(errors.InvalidParameter(name="n", rule="1 to 8"), Dialect.OPENAI)[2]["error"]["param"] == "n"
    assert told(errors.MissingHeader(name="host", example="Host: x"), Dialect.OPENAI)[2]["error"]["message"] == (
        "Header host is missing. Send Host: x."
    )


def test_a_wait_is_told_in_seconds_and_milliseconds() -> None:
    _, headers, document = told(errors.RateLimitExceeded(n=60, unit="calls", retry_after=0.25), Dialect.OPENAI)
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "250")
    assert document["error"]["fix"] == "Retry in 0.25 s."
    assert told(errors.BudgetBusy(budget="b"), Dialect.OPENAI)[1]["retry-after"] == "1"
    assert "retry-after" not in told(errors.UpstreamError(), Dialect.OPENAI)[1]


def test_what_would_fail_again_is_not_to_be_retried() -> None:
    for problem in (QUOTA, errors.UpstreamAuthFailed(provider="openai"), errors.NoCredential(provider="openai")):
        assert told(problem, Dialect.OPENAI)[1]["x-should-retry"] == "false"
    assert "x-should-retry" not in told(errors.BudgetBusy(), Dialect.OPENAI)[1]


def test_a_database_that_is_down_is_never_the_callers_key() -> None:
    for problem in (errors.LedgerUnavailable(), errors.StorageFull(), errors.BudgetBusy()):
        assert status_of(problem) == 503


def test_a_providers_own_refusal_keeps_its_status() -> None:
    assert status_of(errors.UpstreamRefused(provider="openai", what="x", status=422)) == 422
    assert status_of(errors.UpstreamRefused(provider="openai", what="x", status=200)) == 400
    assert status_of(errors.UpstreamRefused(provider="openai", what="x", status="422")) == 400


def test_headers_that_http_wants_are_there() -> None:
    assert told(errors.MissingApiKey(), Dialect.OPENAI)[1]["www-authenticate"] == "Bearer"
    assert told(errors.MethodNotAllowed(path="/", method="GET", allowed="POST"), Dialect.OPENAI)[1]["allow"] == "POST"


def test_spanish_is_spoken_where_it_is_asked_for() -> None:
    _, headers, document = told(errors.MissingApiKey(), Dialect.OPENAI, "es")
    assert headers["content-language"] == "es"
    assert document["error"]["message"].startswith("No se envió ninguna clave.")
    assert document["error"]["code"] == "missing_api_key"


def test_no_body_carries_a_key_out() -> None:
    leak = "sk-" + "ant-" + "b" * 40
    for problem in (
        errors.UpstreamRefused(provider="openai", what=leak),
        errors.InvalidParameter(name=leak, rule=leak),
        errors.ModelNotFound(model=leak, guess=leak),
    ):
        for dialect in Dialect:
            assert leak.encode() not in render(problem, dialect, "req_1")[2]
            assert leak.encode() not in render_event(problem, dialect, "req_1")


@pytest.mark.parametrize("dialect", Dialect)
def test_in_a_stream_the_id_ends_the_message(dialect: Dialect) -> None:
    event = render_event(errors.StreamInterrupted(provider="openai"), dialect, "req_9").decode()
    name, _, data = event.rpartition("data: ")
    assert name == ("" if dialect is Dialect.OPENAI else "event: error\n")
    assert event.endswith("\n\n")
    document = json.loads(data)
    assert document["error"]["message"].endswith("retry. [req_9]")
    if dialect is Dialect.RESPONSES:
        assert (document["type"], document["code"]) == ("error", "stream_interrupted")


def test_a_status_explains_all_its_codes_and_a_code_itself() -> None:
    assert [found.code for found in explain("429")] == codes_of(429)
    assert {"insufficient_quota", "rate_limit_exceeded", "concurrency_exceeded"} <= set(codes_of(429))
    (one,) = explain("PORT_IN_USE", "es")
    assert one.fact == "El puerto está en uso"
    assert explain("nonsense") == explain("999") == []
