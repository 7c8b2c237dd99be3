"""One chat completion as an application would make it, and what came back: for `smoke`."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from msgspec import Struct

from clavero.bootstrap.cli import clock
from clavero.domain.errors import Fault
from clavero.domain.secret import Secret, mask
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.client import NOBODY, Trust, connect, told
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.speech import language, speak
from clavero.entrypoints.http.errors import STATUS

SECONDS = 60.0
_LONGEST = 4 * 1024 * 1024
_UPSTREAM = {code for fault, code in STATUS if fault is Fault.UPSTREAM} | {"upstream_auth_failed", "upstream_refused"}


class Answered(Struct, frozen=True, kw_only=True):
    """What came back: headers in lower case, times in microseconds, tokens as the answer says (None: it does not)."""

    headers: Mapping[str, str]
    total_us: int
    first_us: int = 0
    tokens: int | None = None
    streamed: bool = False
    whole: bool = True

    @property
    def request_id(self) -> str:
        """Under which it is kept."""
        return self.headers.get("x-request-id", "")


def chat(gateway: str, key: Secret, model: str, trust: Trust = NOBODY, *, stream: bool) -> Answered:
    """Ask for a word or two; `Failure` where it is refused (exit 5) or the provider fails (exit 6)."""
    asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    headers = {
        "Authorization": f"Bearer {key.reveal()}", "Content-Type": "application/json",
        "Accept-Language": language(), "User-Agent": "clavero-cli",
    }  # fmt: skip
    connection = connect(gateway, SECONDS, trust)
    with told(gateway, SECONDS), closing(connection):
        started = clock().monotonic_ns()
        connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise refused(answer.status, answer.read(_LONGEST))
        return _streamed(answer, started) if stream else _plain(answer, started)


def refused(status: int, body: bytes) -> Failure:
    """What the gateway said, and whose fault it is."""
    try:
        error = json.loads(body)["error"]
        code, message, fix = str(error["code"]), str(error["message"]), str(error.get("fix") or "")
    except (ValueError, KeyError, TypeError):
        code, message, fix = "not_clavero", speak("not_clavero", url="gateway", status=status), speak("check_url")
    ending = Exit.PROVIDER_FAILED if code in _UPSTREAM else Exit.FAILED if status >= 500 else Exit.REFUSED
    return Failure(code, mask(message.removesuffix(fix)).strip().rstrip("."), fix, ending)


def _plain(answer: http.client.HTTPResponse, started: int) -> Answered:
    body = json.loads(answer.read(_LONGEST))
    return Answered(headers=_headers(answer), total_us=_since(started), tokens=_tokens(body))


def _streamed(answer: http.client.HTTPResponse, started: int) -> Answered:
    first, tokens, whole = 0, None, False
    for line in answer:
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            whole = True
            continue
        event = json.loads(data)
        if "error" in event:
            raise refused(502, data)
        if not first and any(choice.get("delta", {}).get("content") for choice in event.get("choices", ())):
            first = _since(started)
        tokens = _tokens(event) if event.get("usage") else tokens
    return Answered(
        headers=_headers(answer), total_us=_since(started), first_us=first, tokens=tokens, streamed=True, whole=whole
    )


def _headers(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


def _tokens(body: Mapping[str, Any]) -> int | None:
    total = (body.get("usage") or {}).get("total_tokens")
    return total if isinstance(total, int) else None


def _since(started: int) -> int:
    return (clock().monotonic_ns() - started) // 1000
