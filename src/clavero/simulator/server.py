"""The simulated provider as a server: which path is whose, who may call, and what a planned fault makes of it."""

import asyncio
import hmac
import socket
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, structs

from clavero.ports.clock import Clock
from clavero.simulator import anthropic_messages, faults, openai_chat, openai_embeddings, openai_responses
from clavero.simulator.answers import Twist
from clavero.simulator.billing import Invoice
from clavero.simulator.connection import Connection
from clavero.simulator.faults import Faults, Planned
from clavero.simulator.house import Asked, House, SimulatorSettings
from clavero.simulator.models import ANTHROPIC, OPENAI, Card, find
from clavero.simulator.refusals import Dialect, Refusal, no_such_model, refuse, unreadable
from clavero.simulator.replies import Pace, Reply, Step, plain

Handler = Callable[[Asked, House, Twist], Reply]

_NO_PACE = Pace()
_LAUNCHED = 1_735_689_600  # every simulated model is as old as this
_UNTWISTED = faults.twist(None)
_DRILL = "/simulator/"


class _Named(Struct):
    model: str = ""


_NAME = msgspec.json.Decoder(_Named)
_ROUTES: dict[str, tuple[str, Dialect, Handler]] = {
    "/v1/chat/completions": ("POST", Dialect.OPENAI, openai_chat.exchange),
    "/v1/responses": ("POST", Dialect.OPENAI, openai_responses.exchange),
    "/v1/embeddings": ("POST", Dialect.OPENAI, lambda asked, house, _: openai_embeddings.exchange(asked, house)),
    "/v1/messages": ("POST", Dialect.ANTHROPIC, anthropic_messages.exchange),
    "/v1/messages/count_tokens": (
        "POST",
        Dialect.ANTHROPIC,
        lambda asked, house, _: anthropic_messages.count_tokens(asked, house),
    ),
}


class Simulator:
    """A simulated provider that serves. `faults` plans trouble, `invoice` says what was billed."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self.faults = Faults()
        self.invoice = Invoice()
        self.url = ""
        self._settings = settings
        self._house = House(settings, clock)
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    async def listen(self, host: str, port: int, sock: socket.socket | None = None) -> None:
        """Begin to serve; on `sock` where it is given, else on host and port (0: any free one)."""

        def connect() -> Connection:
            return Connection(self.answer, self.invoice, self._settings.body_bytes, self._connections)

        loop = asyncio.get_running_loop()
        if sock is None:
            self._server = await loop.create_server(connect, host, port)
        else:
            self._server = await loop.create_server(connect, sock=sock)
        name = self._server.sockets[0].getsockname()
        self.url = f"http://{name[0]}:{name[1]}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    async def close(self) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.gone for connection in connections))
        if self._server is not None:
            await self._server.wait_closed()

    def answer(self, asked: Asked) -> Reply:
        """Answer one request; never raises."""
        self.invoice.requests += 1
        dialect = _dialect(asked)
        identity = self._house.identity("req_")
        try:
            reply = self._reply(asked, dialect)
        except Refusal as refusal:
            reply = _refused(refusal, dialect, identity)
        except msgspec.MsgspecError as error:
            reply = _refused(unreadable(dialect, error), dialect, identity)
        except RecursionError:
            reply = _refused(refuse(dialect, 400, "The body is nested too deeply."), dialect, identity)
        header = "request-id" if dialect is Dialect.ANTHROPIC else "x-request-id"
        return structs.replace(reply, headers=((header, identity), *reply.headers))

    def _reply(self, asked: Asked, dialect: Dialect) -> Reply:
        if self._settings.faults and asked.path.startswith(_DRILL):
            return self._drill(asked)
        if self._settings.api_key:
            self._check_key(asked, dialect)
        route = _ROUTES.get(asked.path)
        if route is None:
            return _models(asked, dialect)
        method, _, handler = route
        if asked.method != method:
            raise refuse(dialect, 405, f"Not allowed to {asked.method} on {asked.path}.", code="method_not_supported")
        if dialect is Dialect.ANTHROPIC and "anthropic-version" not in asked.headers:
            raise refuse(dialect, 400, "anthropic-version: header is required")
        if not self._settings.faults and not self.faults:
            return handler(asked, self._house, _UNTWISTED)
        return self._troubled(asked, handler, dialect)

    def _troubled(self, asked: Asked, handler: Handler, dialect: Dialect) -> Reply:
        asked, planned = self._planned(asked, dialect)
        refusal = faults.refusal(planned, dialect) if planned else None
        if refusal is not None:
            raise refusal
        reply = handler(asked, self._house, faults.twist(planned))
        return faults.bend(planned, reply) if planned else reply

    def _planned(self, asked: Asked, dialect: Dialect) -> tuple[Asked, Planned | None]:
        """The fault that this call meets; one that its model names comes off the name."""
        model = _NAME.decode(asked.body).model
        if not self._settings.faults or "+" not in model:
            return asked, self.faults.take(model)
        try:
            bare, planned = faults.named(model)
        except ValueError:
            raise no_such_model(dialect, model) from None
        body = msgspec.json.encode(msgspec.json.decode(asked.body) | {"model": bare})
        return structs.replace(asked, body=body), planned

    def _check_key(self, asked: Asked, dialect: Dialect) -> None:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        sent = asked.headers.get("x-api-key") or bearer
        if hmac.compare_digest(sent.encode(), self._settings.api_key.encode()):
            return
        if dialect is Dialect.ANTHROPIC:
            raise refuse(dialect, 401, "invalid x-api-key")
        message = "Incorrect API key provided." if sent else "You didn't provide an API key."
        raise refuse(dialect, 401, message, code="invalid_api_key" if sent else None)

    def _drill(self, asked: Asked) -> Reply:
        """Plan and clear faults, and read the invoice, from another process."""
        match asked.method, asked.path.removeprefix(_DRILL):
            case "POST", "faults":
                wanted = msgspec.json.decode(asked.body, type=Planned)
                self.faults.plan(wanted.fault, wanted.value, model=wanted.model, times=wanted.times)
            case "DELETE", "faults":
                self.faults.clear()
            case "GET", "invoice":
                pass
            case _:
                raise refuse(Dialect.OPENAI, 404, "Drills are POST or DELETE faults, and GET invoice.")
        return plain(self._invoice(), None, self._house.pace)

    def _invoice(self) -> dict[str, Any]:
        kept = self.invoice
        return {"requests": kept.requests, "left": kept.left, "total": kept.total, "by_model": kept.by_model}


async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    settings: SimulatorSettings | None = None,
    *,
    clock: Clock,
    sock: socket.socket | None = None,
) -> Simulator:
    """Start a simulated provider; `await simulator.close()` ends it."""
    simulator = Simulator(settings or SimulatorSettings(), clock)
    await simulator.listen(host, port, sock)
    return simulator


def _dialect(asked: Asked) -> Dialect:
    anthropic = asked.path.startswith("/v1/messages") or "anthropic-version" in asked.headers
    return Dialect.ANTHROPIC if anthropic else Dialect.OPENAI


def _refused(refusal: Refusal, dialect: Dialect, identity: str) -> Reply:
    body = refusal.body(dialect, identity)
    return Reply(status=refusal.status, steps=(Step(0.0, body),), headers=refusal.headers)


def _models(asked: Asked, dialect: Dialect) -> Reply:
    """The list of models, or one; every other path is unknown."""
    if asked.path != "/v1/models" and not asked.path.startswith("/v1/models/"):
        raise refuse(dialect, 404, f"Unknown request URL: {asked.method} {asked.path}.", code="unknown_url")
    if asked.method not in {"GET", "HEAD"}:
        raise refuse(dialect, 405, f"Not allowed to {asked.method} on {asked.path}.")
    catalogue = ANTHROPIC if dialect is Dialect.ANTHROPIC else OPENAI
    name = asked.path.removeprefix("/v1/models").removeprefix("/")
    if name:
        card = find(catalogue, name)
        if card is None:
            raise no_such_model(dialect, name)
        return plain(_model(structs.replace(card, name=name), dialect), None, _NO_PACE)
    data = [_model(card, dialect) for card in catalogue.values()]
    if dialect is Dialect.ANTHROPIC:
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return plain({"data": data, "has_more": False, **ends}, None, _NO_PACE)
    return plain({"object": "list", "data": data}, None, _NO_PACE)


def _model(card: Card, dialect: Dialect) -> dict[str, Any]:
    if dialect is Dialect.ANTHROPIC:
        told = {"display_name": f"{card.name} (simulated)", "created_at": "2025-01-01T00:00:00Z"}
        return {"type": "model", "id": card.name, **told}
    return {"id": card.name, "object": "model", "created": _LAUNCHED, "owned_by": "clavero-simulator"}
