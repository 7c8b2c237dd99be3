"""What each stage of an exchange costs by itself, hot: microseconds, best of several runs.

    python benchmarks/stages.py [--json]

One plain chat of 1 KB with budgets at five levels, and one event of a stream. `pipeline` is the whole way from a parsed
request to a written answer with a real journal and an upstream that answers at once, in batches of 32; what it leaves
out are sockets, parsers and cold caches. Prints figures; asserts nothing. Two runs differ by up to a quarter.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import timeit
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import uvloop

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.journal import SegmentJournal
from clavero.adapters.upstreams.request import written
from clavero.domain import tokens
from clavero.domain.attempts import Rules
from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.credentials import Credential, Model, Network, Provider, ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.keys import Key, KeyVersion
from clavero.domain.ledger import BootId
from clavero.domain.organisation import Service
from clavero.domain.pricing import Price
from clavero.domain.secret import Secret
from clavero.entrypoints.http.answer import framing, head
from clavero.entrypoints.http.edge import Limits
from clavero.entrypoints.http.intake import Intake
from clavero.entrypoints.logs import AccessLog
from clavero.gateway.authenticate import authenticate
from clavero.gateway.authorize import authorize
from clavero.gateway.bank import Bank
from clavero.gateway.headers import headers
from clavero.gateway.leases import Leases
from clavero.gateway.leg import Leg
from clavero.gateway.pipeline import exchange
from clavero.gateway.plugs import Plugs
from clavero.gateway.record import row
from clavero.gateway.relay import Relay
from clavero.gateway.reserve import reserve
from clavero.gateway.route import route
from clavero.gateway.tally import Tally
from clavero.gateway.trail import Trail, UnderWay
from clavero.gateway.view import View
from clavero.ports.client import Request
from clavero.ports.upstreams import Deadlines, Head, Line, Outgoing, Taker
from clavero.testing.lender import MemoryLedger, MemoryLender
from clavero.vault.fingerprint import Fingerprints
from clavero.wire.ask import read_chat
from clavero.wire.body import decode
from clavero.wire.formats import read_answer, stream
from clavero.wire.journal import Settle, encode_block
from clavero.wire.sse import Scanner

CLOCK, DICE = SystemClock(), SystemDice()
BATCH = 32  # exchanges at a time, as many as the load bench has connections
RUNS, TURNS = 7, 4_000
BODY = json.dumps(
    {"model": "gpt-4o-mini", "max_tokens": 200, "messages": [{"role": "user", "content": "word " * 180}]},
    separators=(",", ":"),
).encode()
SAID = json.dumps(
    {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_800_000_000, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 150}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 190, "completion_tokens": 150, "total_tokens": 340},
    },
    separators=(",", ":"),
).encode()  # fmt: skip
EVENT = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1800000000,"model":"gpt-4o-mini",'
    b'"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
ANSWER = Head(200, {"content-type": "application/json", "content-length": str(len(SAID))})
SERVICE = Service(name="support", team="care", project="chat")
PROVIDER = Provider(
    name="openai", kind=ProviderKind.OPENAI, base_url="http://127.0.0.1:9", network=Network.LOOPBACK, models=("gpt-*",)
)
PRICE = Price(
    id="openai/gpt-4o-mini", version="2026-01-01", input=150_000_000, output=600_000_000, cached=75_000_000,
    max_output=16_384, cap_parameter="max_tokens",
)  # fmt: skip
CREDENTIAL = Credential(
    id="openai-1", provider="openai", version=1, origin="http://127.0.0.1:9", sealed=b"", last_four=""
)


class Ear:
    """A caller who hears the answer and forgets it."""

    def reply(self, status: int, headers: Any, body: bytes) -> None:
        """As the edge does, up to the socket."""
        head(status, headers, "Thu, 01 Jan 2026 00:00:00 GMT", framing(len(body), keep=True))

    def start(self, status: int, headers: Any) -> None:
        """Nothing here streams."""

    def write(self, data: bytes) -> None:
        """Nothing here streams."""

    def finish(self) -> None:
        """Nothing here streams."""

    def cut(self) -> None:
        """Nothing here streams."""

    def on_flow(self, pause: object, resume: object) -> None:
        """It reads as fast as it gets."""


class Echo:
    """An upstream that answers in the next tick."""

    def allow(self, origin: str, network: str) -> None:
        """Everything is."""

    def send(self, origin: str, outgoing: Outgoing, taker: Taker, deadlines: Deadlines) -> Line:
        """Write the request as the pool does, then answer."""
        del origin, deadlines
        written(outgoing, "127.0.0.1:9")
        asyncio.get_running_loop().call_soon(self._answer, taker)
        return self

    def pause(self) -> None:
        """It is never slow."""

    def resume(self) -> None:
        """It is never slow."""

    def abort(self) -> None:
        """It has ended."""

    async def close(self) -> None:
        """There is nothing to close."""

    def _answer(self, taker: Taker) -> None:
        taker.head(ANSWER)
        taker.data(SAID)
        taker.ended()


def main() -> None:
    """Run once and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    figures = uvloop.run(measure())
    if chosen.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, cost in figures.items():
        print(f"{name:<34}{cost:8.2f} us")


async def measure() -> dict[str, float]:
    """Microseconds by stage."""
    with tempfile.TemporaryDirectory() as folder:
        plugs, secret = world(Path(folder))
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)  # as a worker does
        try:
            figures = {name: _best(stage) for name, stage in stages(plugs, secret)}
            figures["pipeline"] = await _pipeline(plugs, secret)
        finally:
            plugs.journal.close(CLOCK.wall_ns())
            plugs.bank.leases.slices.clear()
            await plugs.bank.close()
    return figures


def world(folder: Path) -> tuple[Plugs, str]:
    """The plugs of a worker that knows one key, one provider, one price and five budgets with money at hand."""
    kid, secret = tokens.mint(tokens.Kind.VIRTUAL_KEY, "prod", DICE.token)
    prints = Fingerprints({1: DICE.token(32)})
    version = KeyVersion(1, prints.digest(secret.reveal(), 1), 1, "xxxx", 0, 0)
    key = Key(
        id=kid, name="prod-support-chat-01", owner="asha", service="support", environment="prod", versions=(version,)
    )
    subjects = (
        (Subject.ORGANISATION, "all"), (Subject.TEAM, "care"), (Subject.PROJECT, "chat"), (Subject.SERVICE, "support"),
        (Subject.KEY, str(kid)),
    )  # fmt: skip
    budgets = [
        Budget(id=budget_id(kind, name, Window.MONTH), subject=kind, name=name, window=Window.MONTH, limit_n=10**15)
        for kind, name in subjects
    ]
    view = View(lambda _credential: Secret("upstream-key"))
    view.load(
        1,
        {
            Key: [key], Model: [], Service: [SERVICE], Provider: [PROVIDER], Price: [PRICE], Budget: budgets,
            Credential: [CREDENTIAL],
        },
    )  # fmt: skip
    boot = BootId("b" * 32)
    journal = SegmentJournal(folder, boot, "gateway-1", report=_complain)
    bank = Bank(MemoryLender(MemoryLedger(CLOCK)), journal, Leases(boot), CLOCK)
    plugs = Plugs(
        view=view, clock=CLOCK, dice=DICE, fingerprints=prints, bank=bank, journal=journal, upstreams=Echo(),
        under_way=UnderWay(), tally=Tally(lambda _code, _address: None), words=lambda *_: (500, [], b""),
        aside=lambda *_: b"", rules=Rules(), deadlines=Deadlines(), retry_budgets={},
        report=lambda error, _request: _complain("an exchange failed", error), version="0",
    )  # fmt: skip
    grant = view.grant(kid)
    assert grant is not None
    for mine in bank.open(grant.budgets).slices:
        mine.free = 10**15
    return plugs, secret.reveal()


def stages(plugs: Plugs, secret: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each stage with what the ones before it left."""
    raw = _raw(secret)
    intake = Intake(Limits())

    def parse() -> None:
        intake.feed(raw)
        intake.reset()

    yield "edge: parse and check", parse
    trail = _trail(secret)
    ask = trail.ask = read_chat(decode(BODY))
    yield "authenticate", lambda: authenticate(trail.request, plugs.view, plugs.fingerprints, CLOCK)
    trail.grant, trail.version = authenticate(trail.request, plugs.view, plugs.fingerprints, CLOCK)
    grant = trail.grant
    yield "read: decode", lambda: decode(BODY)
    tree = decode(BODY)
    yield "read: ask", lambda: read_chat(tree)
    yield "authorize", lambda: authorize(ask, grant, trail.request.headers)
    yield "route", lambda: route(ask, grant, plugs.view)
    target = trail.target = route(ask, grant, plugs.view)[0]
    yield "leg", lambda: Leg(ask, target, grant)
    leg = Leg(ask, target, grant)

    def hold() -> Any:
        with _now(reserve("r.1", leg.wish, plugs.bank, plugs.journal)) as held:
            return held

    yield "reserve and give back", hold
    trail.hold = held = hold()
    yield "row", lambda: row(trail, plugs)
    key = Secret("upstream-key")
    yield "outgoing", lambda: leg.outgoing(200, key, trail.request.headers, "0")
    outgoing = leg.outgoing(200, key, trail.request.headers, "0")
    yield "request head", lambda: written(outgoing, "127.0.0.1:9")
    yield "relay", lambda: Relay(trail, leg, held, plugs).leave()
    yield "read answer", lambda: read_answer(Endpoint.CHAT, SAID)
    yield "headers", lambda: headers(trail, "application/json", 1000, 123_456, 0)
    told = headers(trail, "application/json", 1000, 123_456, 0)
    yield "answer head", lambda: head(200, told, "Thu, 01 Jan 2026 00:00:00 GMT", framing(900, keep=True))
    known = row(trail, plugs)
    frames = [Settle("r.1", (("a", 1, 2, 2),) * 5, "", known)] * 2
    yield "journal: two frames to bytes", lambda: encode_block(frames)
    access = AccessLog()
    access._lines.append(b"")  # noqa: SLF001 - so that no timer is set here
    yield "access line", lambda: access(known)
    access._lines.clear()  # noqa: SLF001
    scanner = Scanner(stream(Endpoint.CHAT))
    yield "stream: one event", lambda: scanner.feed(EVENT)


async def _pipeline(plugs: Plugs, secret: str) -> float:
    ear = Ear()

    async def batch() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *[loop.create_task(exchange(_request(secret), ear, Endpoint.CHAT, plugs)) for _ in range(BATCH)]
        )

    best = float("inf")
    for _ in range(RUNS):
        began = timeit.default_timer()
        for _ in range(TURNS // BATCH):
            await batch()
        best = min(best, timeit.default_timer() - began)
    return best / (TURNS // BATCH * BATCH) * 1e6


def _best(stage: Callable[[], object]) -> float:
    return min(timeit.repeat(stage, number=TURNS, repeat=RUNS)) / TURNS * 1e6


def _request(secret: str) -> Request:
    given = {
        "host": "127.0.0.1:8080", "content-type": "application/json", "authorization": f"Bearer {secret}",
        "content-length": str(len(BODY)),
    }  # fmt: skip
    at = CLOCK.wall_ns(), CLOCK.monotonic_ns()
    return Request("req_0123456789000001", "POST", "/v1/chat/completions", given, BODY, "127.0.0.1", *at)


def _raw(secret: str) -> bytes:
    top = "".join(f"{name}: {value}\r\n" for name, value in _request(secret).headers.items())
    return f"POST /v1/chat/completions HTTP/1.1\r\n{top}\r\n".encode() + BODY


def _trail(secret: str) -> Trail:
    return Trail(_request(secret), Ear(), Endpoint.CHAT)


def _now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("it waits")


def _complain(message: str, error: Exception) -> None:
    raise RuntimeError(message) from error


if __name__ == "__main__":
    main()
