"""The gate alone, in front of an application that says what it was given; no socket."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from clavero.entrypoints.http.admin.gate import Gate, Terms, is_ours
from clavero.testing.clock import LoadedDice

NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
TERMS = Terms(NAMES, most_bytes=10, seconds=0.05, drained_bytes=50)
Header = tuple[bytes, bytes]
HOST: Header = (b"host", b"127.0.0.1:4142")


class Asked:
    """One request through the gate: what was answered, and whether the application was reached."""

    def __init__(self, *parts: bytes, headers: Sequence[Header] = (HOST,), stalls: bool = False) -> None:
        self.messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": stalls or n < len(parts) - 1}
            for n, part in enumerate(parts or (b"",))
        ]
        self.scope: Scope = {"type": "http", "method": "POST", "path": "/x", "headers": list(headers), "state": {}}
        self.sent: list[Message] = []
        self.reached = False
        self.failure: Exception | None = None
        self.fails: Exception | None = None

    async def go(self) -> "Asked":
        try:
            await Gate(self._app, TERMS, LoadedDice())(self.scope, self._receive, self._send)
        except HTTPException as failure:
            self.failure = failure
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def error(self) -> dict[str, str]:
        told: dict[str, str] = json.loads(self.sent[1]["body"])["error"]
        return told

    async def _receive(self) -> Message:
        if not self.messages:
            await asyncio.sleep(60)
        return self.messages.pop(0)

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached = True
        while (await receive()).get("more_body"):
            pass
        if self.fails:
            raise self.fails
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=9")]})
        await send({"type": "http.response.body", "body": b""})


async def test_what_is_ours_passes_and_its_answer_is_dressed() -> None:
    asked = await Asked(b"12345", b"67890").go()
    assert asked.reached
    assert asked.status == 200
    assert asked.headers[b"cache-control"] == b"max-age=9"
    assert asked.headers[b"x-content-type-options"] == b"nosniff"
    assert b"frame-ancestors 'none'" in asked.headers[b"content-security-policy"]
    assert asked.headers[b"x-request-id"].decode() == asked.scope["state"]["request_id"]
    assert asked.headers[b"x-request-id"].startswith(b"req_")


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [b"evil.example"],
        [b"127.0.0.1.evil.example"],
        [b"127.0.0.1:80@evil.example"],
        [b"localhost:4142/api"],
        [b"localhost:"],
        [b"localhost:123456"],
        [b"evil.example#127.0.0.1"],
        [b"[::1]x"],
        [b"127.0.0.1", b"evil.example"],
        [b"127.0.0.1", b"127.0.0.1"],
        [b"\xff\xfe"],
        [b""],
    ],
)
async def test_another_name_never_reaches_the_application(hosts: list[bytes]) -> None:
    asked = await Asked(headers=[(b"host", host) for host in hosts]).go()
    assert not asked.reached
    assert (asked.status, asked.error["code"]) == (400, "invalid_header")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "LOCALHOST:4142", "[::1]", "[::1]:65535"])
def test_our_names_are_ours_with_any_port(host: str) -> None:
    assert is_ours(host, NAMES)


@pytest.mark.parametrize("length", [b"11", b"99999999999999999999", b"-1", b"x", b""])
async def test_a_length_beyond_the_limit_is_refused_and_what_comes_is_thrown_away(length: bytes) -> None:
    asked = await Asked(b"x", headers=[HOST, (b"content-length", length)]).go()
    assert not asked.reached
    assert (asked.status, asked.error["code"]) == (413, "body_too_large")
    assert not asked.messages


async def test_of_a_refused_body_so_much_is_thrown_away_and_no_more() -> None:
    asked = await Asked(*[b"x" * 10] * 9, headers=[HOST, (b"content-length", b"90")]).go()
    assert (asked.status, len(asked.messages)) == (413, 9 - TERMS.drained_bytes // 10)


async def test_a_refusal_is_told_at_once_and_the_connection_ends_with_the_body() -> None:
    asked = await Asked(b"x", headers=[HOST, (b"content-length", b"11")], stalls=True).go()
    assert [message.get("more_body") for message in asked.sent] == [None, True, None]
    assert asked.error["code"] == "body_too_large"


async def test_who_waits_for_a_100_is_refused_before_a_byte_is_read() -> None:
    asked = await Asked(b"x", headers=[HOST, (b"content-length", b"11"), (b"expect", b"100-continue")]).go()
    assert asked.status == 413
    assert asked.messages


async def test_over_tls_every_name_that_can_be_one_is_served() -> None:
    asked = Asked(b"1", headers=[(b"host", b"console.example:4142")])
    asked.scope["scheme"] = "https"
    await asked.go()
    assert asked.reached
    assert asked.headers[b"strict-transport-security"] == b"max-age=31536000"


async def test_what_a_proxy_passes_on_in_the_clear_is_told_what_is_missing() -> None:
    asked = Asked(b"1", headers=[(b"host", b"console.example")])
    asked.scope["state"] = {"relayed": True}
    await asked.go()
    assert (asked.status, asked.error["code"]) == (400, "tls_required")


async def test_a_body_without_a_length_is_counted_as_it_arrives() -> None:
    asked = await Asked(b"123456", b"78901", b"never read").go()
    assert asked.failure is not None
    assert getattr(asked.failure, "status_code", 0) == 413
    assert not asked.messages


async def test_a_body_that_stops_arriving_is_not_waited_for() -> None:
    asked = await Asked(b"1", stalls=True).go()
    assert getattr(asked.failure, "status_code", 0) == 408


async def test_a_failure_is_answered_once_and_passed_on() -> None:
    asked = Asked()
    asked.fails = RuntimeError("no secret of ours: sk-ant-" + "x" * 30)
    with pytest.raises(RuntimeError):
        await asked.go()
    assert (asked.status, asked.error["code"]) == (500, "internal_error")
    assert "sk-ant" not in str(asked.sent)


@pytest.mark.parametrize(("kind", "sent"), [("websocket", ["websocket.close"]), ("lifespan", [])])
async def test_what_is_no_request_is_not_answered_as_one(kind: str, sent: list[str]) -> None:
    heard: list[str] = []
    passed: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    async def send(message: Any) -> None:
        heard.append(message["type"])

    async def receive() -> Message:
        return {}

    await Gate(app, TERMS, LoadedDice())({"type": kind}, receive, send)
    assert heard == sent
    assert passed == (["lifespan"] if kind == "lifespan" else [])
