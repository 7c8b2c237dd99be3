"""What providers say when they refuse, as problems of ours, whatever the dialect.

Both dialects and their imitators put `message`, `type` and `code` into an `error` object, or nearly so. The meaning is
taken from the code where there is one, then from well-known sentences, then from the status. What a provider says is
passed on masked, since some repeat the key they were sent.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from clavero.domain.errors import (
    ContentFilter,
    ContextLengthExceeded,
    ModelNotFound,
    Problem,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamProxyFailed,
    UpstreamRateLimited,
    UpstreamRefused,
)
from clavero.domain.secret import mask
from clavero.wire.answer import UNREADABLE
from clavero.wire.body import Tree

_LONGEST = 500  # characters of a provider's message
_LONGEST_READ = 64 * 1024  # bytes; some proxies answer with a page
_PAUSE_MOST = 86_400.0

_TOO_LONG = re.compile(
    r"maximum context length|prompt is too long|context[ _]window|input is too long"
    r"|exceeds? the (?:available )?context",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:maximum context length is|context size(?: is| \()|> |maximum of )\s*([0-9][0-9,]*)", re.IGNORECASE
)
_TOKENS = re.compile(
    r"(?:resulted in|requested(?: about)?|too long:|has|input of|request \()\s*([0-9][0-9,]*)\s*(?:tokens|$)",
    re.IGNORECASE,
)
_LENGTHS = frozenset({"context_length_exceeded", "exceed_context_size_error"})  # the second is llama.cpp's
_NO_MONEY = re.compile(r"credit balance is too low|exceeded your current quota|billing (?:hard )?limit", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"^model: |model\b.{0,200}\b(?:does not exist|not found|not supported)", re.IGNORECASE | re.DOTALL
)
_FINAL = frozenset({413, 431, 501})  # too large for it, or not built: it would say so again
_FILTERS = frozenset(
    {"content_filter", "content_policy_violation", "moderation_blocked", "invalid_prompt", "bio_policy",
     "misalignment_policy_violation", "image_content_policy_violation", "responsible_ai_policy_violation"}
)  # fmt: skip
_KEYS = frozenset({"invalid_api_key", "authentication_error", "permission_error", "billing_error", "insufficient_quota",
                   "billing_hard_limit_reached", "account_deactivated", "invalid_authentication"})  # fmt: skip
_RATES = frozenset({"rate_limit_exceeded", "rate_limit_error", "tokens", "requests"})
_MODELS = frozenset({"model_not_found", "deployment_not_found", "model_not_available"})
_BROKEN = frozenset(
    {"server_error", "api_error", "overloaded_error", "internal_error", "timeout_error", "engine_overloaded"}
)


def problem(provider: str, model: str, status: int, body: bytes) -> Problem:
    """The problem that an error answer means; `model` is the one that was asked of this provider."""
    if status == 407:  # no provider asks for that: it is the proxy before it (RFC 9110 section 15.5.8)
        facts = {"provider": provider, "model": model, "what": "it answered 407 Proxy Authentication Required"}
        return UpstreamProxyFailed(**facts)
    return stated(provider, model, status, _error(body))


def stated(provider: str, model: str, status: int, error: Tree) -> Problem:
    """The problem that an `error` object means; `status` is 0 for one within a stream."""
    words = {str(error.get(name)) for name in ("code", "type") if error.get(name)}
    said = message_of(error) or (f"status {status}" if status else "no reason given")
    facts = {"provider": provider, "model": model, "what": said, "status": status}
    if status in _FINAL:
        return UpstreamRefused(**facts)
    if words & _LENGTHS or (status in (0, 400) and _TOO_LONG.search(said)):
        return ContextLengthExceeded(**facts, n=_number(_TOKENS, said, "Too many"), max=_number(_LIMIT, said, "fewer"))
    if words & _FILTERS:
        return ContentFilter(**facts)
    if words & _KEYS or status in (401, 402, 403) or (status in (0, 400, 429) and _NO_MONEY.search(said)):
        return UpstreamAuthFailed(**facts) if not words & _MODELS else ModelNotFound(**facts, guess="")
    if status == 429 or words & _RATES:
        return UpstreamRateLimited(**facts)
    if words & _MODELS or (status == 404 and _NO_MODEL.search(said)):
        return ModelNotFound(**facts, guess="")
    if words & _BROKEN or status >= 500 or status in (0, 408):
        return UpstreamError(**facts, n=1)
    return UpstreamRefused(**facts)


def message_of(error: Tree) -> str:
    """A provider's message as it may be shown: masked, on one line, of bounded length; "" where there is none."""
    message = error.get("message")
    if not isinstance(message, str):
        return ""
    line = " ".join(mask(message[: 4 * _LONGEST]).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a provider asks to wait; None where it says nothing that can be used. Dates are not read."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if 0 <= seconds <= _PAUSE_MOST:
            return seconds
    return None


def _error(body: bytes) -> Tree:
    """The error object of a body: nested, bare, a list of one, or FastAPI's `detail`."""
    try:
        tree: Any = msgspec.json.decode(body[:_LONGEST_READ])
    except UNREADABLE:
        return {}
    tree = tree[0] if isinstance(tree, list) and tree else tree
    if not isinstance(tree, dict):
        return {}
    error = tree.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str):
        return {"message": error, "code": tree.get("code")}
    if isinstance(tree.get("detail"), str):
        return {"message": tree["detail"]}
    return tree


def _number(pattern: re.Pattern[str], said: str, otherwise: str) -> str:
    match = pattern.search(said)
    return match.group(1) if match else otherwise
