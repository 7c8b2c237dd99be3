"""Problems as callers see them: one total table from (fault, code) to status, and bodies in the caller's dialect.

The message is the fact and the remedy, since most clients print nothing else. Every text passes the mask of
`domain.secret` on its way (in the catalogue), because a fact may quote somebody else's message.
"""

import math
from enum import Enum
from typing import Any

import msgspec

from clavero.domain.catalogue import Entry, Language, codes, entry, fact_and_fix
from clavero.domain.errors import Fault, Problem
from clavero.domain.money import to_usd
from clavero.domain.secret import mask

DOCS = "http://127.0.0.1:4142/errors"
Headers = list[tuple[str, str]]

_C, _U, _O = Fault.CALLER, Fault.UPSTREAM, Fault.OURS
STATUS: dict[tuple[Fault, str], int] = {
    (_C, "missing_api_key"): 401,
    (_C, "malformed_api_key"): 401,
    (_C, "invalid_api_key"): 401,
    (_C, "provider_key_sent"): 401,
    (_C, "key_expired"): 401,
    (_C, "key_disabled"): 401,
    (_C, "key_revoked"): 401,
    (_C, "key_rotated"): 401,
    (_C, "key_pending"): 401,
    (_C, "ip_not_allowed"): 403,
    (_C, "model_not_allowed"): 403,
    (_C, "endpoint_not_allowed"): 403,
    (_C, "feature_not_declared"): 403,
    (_C, "model_not_found"): 404,
    (_C, "endpoint_not_found"): 404,
    (_C, "method_not_allowed"): 405,
    (_C, "malformed_json"): 400,
    (_C, "invalid_parameter"): 400,
    (_C, "missing_header"): 400,
    (_C, "invalid_header"): 400,
    (_C, "malformed_request"): 400,
    (_C, "head_too_large"): 431,
    (_C, "body_too_large"): 413,
    (_C, "request_timeout"): 408,
    (_C, "expectation_failed"): 417,
    (_C, "unsupported_media_type"): 415,
    (_C, "tls_required"): 400,
    (_C, "format_not_served"): 400,
    (_C, "insufficient_quota"): 429,
    (_C, "request_over_ceiling"): 400,
    (_O, "unpriced_model"): 403,
    (_C, "unbounded_input"): 400,
    (_O, "budget_busy"): 503,
    (_O, "ledger_unavailable"): 503,
    (_O, "storage_full"): 503,
    (_C, "context_length_exceeded"): 400,
    (_U, "content_filter"): 400,
    (_C, "upstream_refused"): 400,
    (_O, "upstream_auth_failed"): 502,
    (_O, "upstream_proxy_failed"): 502,
    (_U, "upstream_rate_limited"): 429,
    (_U, "upstream_error"): 502,
    (_U, "upstream_timeout"): 504,
    (_U, "stream_interrupted"): 502,  # as a whole answer; within a stream the head has said 200 already
    (_O, "no_credential"): 503,
    (_C, "rate_limit_exceeded"): 429,
    (_C, "concurrency_exceeded"): 429,
    (_O, "overloaded"): 503,
    (_O, "draining"): 503,
    (_O, "internal_error"): 500,
}
_OPENAI_TYPES = {429: "rate_limit_error", 500: "server_error", 502: "server_error", 503: "server_error"}
_OPENAI_TYPES[504] = "server_error"
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
}
# Seconds to wait where the problem itself does not know better.
_WAIT = {"budget_busy": 1, "ledger_unavailable": 1, "storage_full": 10, "overloaded": 1, "draining": 1}
# Official clients retry 408, 409, 429 and 5xx by themselves; these would fail again in the same way.
_FINAL = frozenset({"insufficient_quota", "upstream_auth_failed", "no_credential"})
_PLACES = ("line", "column")
_DOLLARS = {"limit_n": "limit_usd", "spent_n": "spent_usd", "held_n": "held_usd"}


class Dialect(Enum):
    """Whose shapes the caller reads. `RESPONSES` differs from `OPENAI` within a stream alone."""

    OPENAI = "openai"
    RESPONSES = "responses"
    ANTHROPIC = "anthropic"


def status_of(problem: Problem) -> int:
    """The HTTP status; a provider's own refusal keeps the provider's 4xx (fact `status`)."""
    theirs = problem.facts.get("status")
    if problem.code == "upstream_refused" and isinstance(theirs, int) and 400 <= theirs < 500:
        return theirs
    return STATUS[problem.fault, problem.code]


def render(
    problem: Problem, dialect: Dialect, request_id: str, language: Language = "en", docs: str = DOCS
) -> tuple[int, Headers, bytes]:
    """The whole answer: status, headers (without length) and body. `docs` is where the console explains codes."""
    status = status_of(problem)
    headers: Headers = [
        ("content-type", "application/json"),
        ("request-id", request_id),
        ("x-request-id", request_id),
        ("content-language", language),
    ]
    wait = _wait(problem)
    if wait is not None:
        headers += [("retry-after", str(max(1, math.ceil(wait)))), ("retry-after-ms", str(math.ceil(wait * 1000)))]
    if problem.code in _FINAL:
        headers.append(("x-should-retry", "false"))
    if status == 401:
        headers.append(("www-authenticate", "Bearer"))
    if status == 405 and problem.facts.get("allowed"):
        headers.append(("allow", mask(str(problem.facts["allowed"]))))
    return status, headers, msgspec.json.encode(_document(problem, dialect, request_id, language, docs))


def render_event(
    problem: Problem, dialect: Dialect, request_id: str, language: Language = "en", docs: str = DOCS
) -> bytes:
    """The error as the last server-sent event of a stream that has begun; its message ends with the request id."""
    document = _document(problem, dialect, request_id, language, docs)
    error = document["error"]
    error["message"] = f"{error['message']} [{request_id}]"
    if dialect is Dialect.OPENAI:
        return b"data: %b\n\n" % msgspec.json.encode(document)
    if dialect is Dialect.RESPONSES:
        # The provider's own event carries code and message on top; clients raise on `error`, so both are there.
        top = {"type": "error", "code": error["code"], "message": error["message"], "param": error["param"]}
        document = top | document
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(document)


def codes_of(status: int) -> list[str]:
    """The codes that answer with a status, in the order of the table."""
    return [code for (_, code), given in STATUS.items() if given == status]


def explain(code_or_status: str, language: Language = "en") -> list[Entry]:
    """What `clavero explain` shows for a code or a status; empty where there is no such thing."""
    wanted = code_or_status.strip().lower()
    named = codes_of(int(wanted)) if wanted.isdecimal() and len(wanted) == 3 else [wanted]
    found = [entry(code, language) for code in named if code in codes()]
    return [each.explained() for each in found if each is not None]


def _document(problem: Problem, dialect: Dialect, request_id: str, language: Language, docs: str) -> dict[str, Any]:
    wait = _wait(problem)
    more: dict[str, object] = {"request_id": request_id}
    if wait is not None:
        more["retry_after"] = f"{wait:.3g}"
    fact, fix = fact_and_fix(problem, language, **more)
    message = f"{fact} {fix}".strip()
    told = {"fix": fix, "doc_url": f"{docs}/{problem.code}"}
    extra = _extra(problem)
    status = status_of(problem)
    if dialect is Dialect.ANTHROPIC:
        details: dict[str, object] = {"error_code": problem.code, **told, **extra}
        kind = _ANTHROPIC_TYPES.get(status, "invalid_request_error")
        error = {"type": kind, "message": message, "details": details}
        return {"type": "error", "error": error, "request_id": request_id}
    kind = problem.code if problem.code == "insufficient_quota" else _OPENAI_TYPES.get(status, "invalid_request_error")
    param = mask(str(problem.facts.get("name"))) if problem.code == "invalid_parameter" else None
    said = {"message": message, "type": kind, "param": param, "code": problem.code}
    return {"error": {**said, **told, "request_id": request_id, **extra}}


def _extra(problem: Problem) -> dict[str, object]:
    """Facts that programs read: money as decimal dollars, the place of a mistake as numbers."""
    facts = problem.facts
    extra = {name: facts[name] for name in _PLACES if isinstance(facts.get(name), int)}
    if problem.code != "insufficient_quota":
        return extra
    extra["limit_source"] = mask(str(facts.get("budget", "")))
    for name, told in _DOLLARS.items():
        amount = facts.get(name)
        if isinstance(amount, int):
            extra[told] = to_usd(amount).replace(",", "")
    if facts.get("resets_at"):
        extra["resets_at"] = mask(str(facts["resets_at"]))
    return extra


def _wait(problem: Problem) -> float | None:
    """Seconds after which a retry makes sense, where that is known (fact `retry_after`)."""
    known = problem.facts.get("retry_after")
    if isinstance(known, int | float) and known >= 0:
        return float(known)
    default = _WAIT.get(problem.code)
    return None if default is None else float(default)
