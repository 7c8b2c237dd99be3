"""A whole gateway in one process: SQLite desk, one worker behind real edge sockets, providers that fail as told.

    async with open_house(tmp_path) as house:
        await house.simulated("primary")
        key = await house.key("prod-app-chat-01")
        said = await house.post("/v1/chat/completions", chat("gpt-4o-mini"), key)

Deadlines are short, delays of retries too; nothing here waits for a second that a test does not ask for.
"""

import asyncio
import json
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.usage_queries import WHOLE
from clavero.bootstrap.control import ControlPlane, open_control
from clavero.bootstrap.gateway import GatewayWorker, Rim
from clavero.bootstrap.supervisor import Passphrases, open_seal
from clavero.control import budgets, catalog, credentials, keys
from clavero.control.commit import Desk, perform
from clavero.domain.access import SYSTEM
from clavero.domain.attempts import Rules
from clavero.domain.budgets import Budget, Policy, Subject, Window
from clavero.domain.credentials import Model, Network, Provider, ProviderKind
from clavero.domain.keys import Key
from clavero.domain.money import from_usd
from clavero.domain.pricing import Price
from clavero.domain.secret import Secret
from clavero.entrypoints.http.edge import Inside, Limits
from clavero.entrypoints.http.gateway import Rim as HttpRim
from clavero.entrypoints.http.server import Server
from clavero.entrypoints.premises import Premises, bound_socket
from clavero.entrypoints.request_ids import RequestIds
from clavero.gateway.plugs import Plugs
from clavero.settings import Settings, read
from clavero.simulator import Simulator, SimulatorSettings, serve
from clavero.testing.unsealer import MemoryUnsealer
from clavero.vault.seal import OpenSeal

HI = [{"role": "user", "content": "Say hello in five words."}]
ALL_MODELS = ("gpt-*", "o3*", "claude-*", "text-embedding-*")
PATIENCE = 10.0  # seconds that a test waits for anything before it calls it a hang
PRICES = tuple(
    Price(id=name, version="test-1", input=input_, output=output, context=128_000, max_output=16_384, cap_parameter=cap)
    for name, input_, output, cap in (
        ("openai/gpt-4o-mini", 150_000_000, 600_000_000, "max_tokens"),
        ("openai_like/gpt-4o-mini", 150_000_000, 600_000_000, ""),
        ("openai/gpt-4o", 2_500_000_000, 10_000_000_000, "max_completion_tokens"),
        ("openai/text-embedding-3-small", 20_000_000, 0, ""),
        ("anthropic/claude-sonnet-4-5", 3_000_000_000, 15_000_000_000, ""),
        ("anthropic/claude-haiku-4-5", 1_000_000_000, 5_000_000_000, ""),
    )
)


def chat(model: str = "gpt-4o-mini", **more: Any) -> dict[str, Any]:
    """A chat of one question."""
    return {"model": model, "messages": HI, **more}


class Said:
    """One answer: `clean` where it ended as its framing promised."""

    def __init__(self, raw: bytes) -> None:
        top, _, rest = raw.partition(b"\r\n\r\n")
        line, *fields = top.decode("latin-1").split("\r\n")
        self.status = int(line.split(" ")[1]) if line else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
        self.chunked = self.headers.get("transfer-encoding") == "chunked"
        self.body, self.clean = _dechunked(rest) if self.chunked else (rest, self._is_whole(rest))
        self.text = self.body.decode()

    @property
    def tree(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The error object, of a whole answer or of the last event of a stream."""
        return (self.events[-1] if self.is_stream else self.tree)["error"]

    @property
    def code(self) -> str:
        """Our code of an error, in either dialect."""
        error = self.error
        return str(error["details"]["error_code"] if "details" in error else error["code"])

    @property
    def is_stream(self) -> bool:
        """Whether it is server-sent events."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def events(self) -> list[Any]:
        """The data of the events, `[DONE]` left out."""
        datas = [line[6:] for line in self.text.splitlines() if line.startswith("data: ")]
        return [json.loads(data) for data in datas if data != "[DONE]"]

    @property
    def words(self) -> str:
        """The text of a chat, plain or streamed."""
        if not self.is_stream:
            return str(self.tree["choices"][0]["message"]["content"])
        choices = [choice for event in self.events for choice in event.get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)

    def _is_whole(self, rest: bytes) -> bool:
        return len(rest) == int(self.headers.get("content-length", "-1"))


def _dechunked(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            return body, bool(size)
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body, False


class Call:
    """One request under way on a connection of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.raw = b""

    async def until(self, text: bytes) -> None:
        """Read until this has come."""
        while text not in self.raw:
            data = await asyncio.wait_for(self._reader.read(65536), PATIENCE)
            assert data, f"it ended before {text!r}: {self.raw[-500:]!r}"
            self.raw += data

    async def end(self) -> Said:
        """Read to the end of the connection."""
        with suppress(ConnectionError):
            while data := await asyncio.wait_for(self._reader.read(65536), PATIENCE):
                self.raw += data
        await self.close()
        return Said(self.raw)

    async def leave(self) -> None:
        """Go away in the middle."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class House:
    """One gateway with its control plane and its providers."""

    def __init__(
        self,
        data: Path,
        settings: Settings,
        plane: ControlPlane,
        worker: GatewayWorker,
        port: int,
        logged: list[str],
        simulators: dict[str, Simulator],
    ) -> None:
        self.data = data
        self.settings = settings
        self.plane = plane
        self.worker = worker
        self.port = port
        self.logged = logged
        self.simulators = simulators

    @property
    def desk(self) -> Desk:
        """Where changes are made."""
        return self.plane.desk

    @property
    def plugs(self) -> Plugs:
        """What the stages are given."""
        return self.worker.plugs

    # --- making

    async def simulated(self, name: str = "primary", models: Sequence[str] = ALL_MODELS, **more: Any) -> Simulator:
        """A simulated provider that speaks everything; `kind` makes it one that does not. Faults may be planned."""
        kind = more.pop("kind", ProviderKind.SIMULATED)
        more = {"first_token": 0.0, "token": 0.0, **more}
        simulator = await serve(settings=SimulatorSettings(faults=True, **more), clock=SystemClock())
        self.simulators[name] = simulator
        await self.provider(name, simulator.url, models, kind)
        return simulator

    async def provider(
        self, name: str, url: str, models: Sequence[str] = ALL_MODELS, kind: ProviderKind = ProviderKind.SIMULATED
    ) -> None:
        """A provider at a loopback address, with a credential."""
        provider = Provider(name=name, kind=kind, base_url=url, network=Network.LOOPBACK, models=tuple(models))
        await perform(self.desk, SYSTEM, credentials.add_provider, provider=provider)
        secret = Secret("upstream-" + self.desk.dice.token(24).hex())
        await perform(self.desk, SYSTEM, credentials.add_credential, provider=name, secret=secret)
        await self.published()

    async def model(self, name: str, provider: str, served: str, fallback: str = "") -> None:
        """A declared model."""
        model = Model(name=name, provider=provider, served=served, fallback=fallback)
        await perform(self.desk, SYSTEM, credentials.set_model, model=model)
        await self.published()

    async def key(self, name: str = "prod-app-chat-01", **more: Any) -> str:
        """A new key; its secret."""
        wanted = keys.NewKey(name=name, **{"owner": "asha", "team": "apps", "project": "copilot", **more})
        issued = await perform(self.desk, SYSTEM, keys.create, wanted=wanted)
        await self.published()
        return issued.secret.reveal()

    async def budget(
        self, dollars: str, subject: Subject = Subject.TEAM, name: str = "apps", policy: Policy = Policy.REJECT
    ) -> Budget:
        """A budget for the day."""
        wanted = budgets.NewBudget(
            subject=subject, name=name, window=Window.DAY, limit_n=from_usd(dollars), policy=policy
        )
        made = await perform(self.desk, SYSTEM, budgets.set_budget, wanted=wanted)
        await self.published()
        return made

    async def published(self) -> None:
        """The worker has heard of every change."""
        with sqlite3.connect(self.data / "clavero.db") as base:
            newest = base.execute("select max(seq) from change_log").fetchone()[0]
        base.close()
        await self.until(lambda: self.plugs.view.seq >= newest)

    async def until(self, condition: Any) -> None:
        """Let the loop turn until this callable is true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - nobody sets an event for what is looked at here
                await asyncio.sleep(0.005)

    async def until_quiet(self) -> None:
        """Let everybody do what they can do for now."""
        await asyncio.sleep(0.2)

    # --- calling

    async def begin(
        self, path: str, body: Any = None, key: str = "", headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Call:
        """Send a request; `body` is JSON, or the bytes themselves."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        fields = {"host": "gateway", "connection": "close", "content-type": "application/json"}
        fields |= {"authorization": f"Bearer {key}"} if key else {}
        fields |= {"content-length": str(len(data))} | dict(headers or {})
        top = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(top.encode() + b"\r\n" + data)
        return Call(reader, writer)

    async def post(self, path: str, body: Any, key: str = "", headers: Mapping[str, str] | None = None) -> Said:
        """Send a request and read its answer."""
        return await (await self.begin(path, body, key, headers)).end()

    async def get(self, path: str, key: str = "", headers: Mapping[str, str] | None = None) -> Said:
        """Ask for something."""
        return await (await self.begin(path, None, key, headers, "GET")).end()

    # --- looking

    async def rows(self) -> list[dict[str, Any]]:
        """The usage rows so far, in the order they were written."""
        await self.until(lambda: not len(self.plugs.under_way))
        await asyncio.sleep(0.02)  # frames go to the file at the end of a tick
        while await self.plane.reading.ingest.round():
            pass
        return self.query(WHOLE + " ORDER BY u.rowid")

    async def last(self) -> dict[str, Any]:
        """The row of the last exchange; there is exactly one final row for each."""
        rows = await self.rows()
        self.check(rows)
        return next(row for row in reversed(rows) if row["final"])

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the database."""
        base = sqlite3.connect(self.data / "clavero.db")
        base.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in base.execute(sql)]
        finally:
            base.close()

    def posted(self) -> dict[str, int]:
        """What the ledger has posted, nano-USD by budget."""
        return {row["budget_id"]: row["posted"] for row in self.query("select * from ledger")}

    def check(self, rows: list[dict[str, Any]]) -> None:
        """Each exchange has one final row, and what rows say that budgets paid is what the ledger posted."""
        finals = [row["request_id"] for row in rows if row["final"]]
        assert len(finals) == len(set(finals))
        assert set(finals) == {row["request_id"] for row in rows}
        paid: dict[str, int] = {}
        for row in rows:
            for budget, _period, amount in json.loads(row["amounts"]):
                assert amount == row["cost_n"]
                paid[budget] = paid.get(budget, 0) + amount
        assert {name: amount for name, amount in paid.items() if amount} == {
            name: amount for name, amount in self.posted().items() if amount
        }
        assert self.query("select * from journal_rejects") == []

    async def kid(self, name: str = "prod-app-chat-01") -> str:
        """The public id of a key."""
        async with self.desk.store.read() as look:
            return (await look.find(Key, name=name))[0].id


def seal_of(settings: Settings) -> OpenSeal:
    """The seal of a house; nobody has to be asked for a passphrase."""

    def unasked() -> Secret:
        raise AssertionError

    return open_seal(settings, Passphrases(unasked, unasked))


@asynccontextmanager
async def open_house(data: Path, limits: Limits | None = None, **flags: object) -> AsyncIterator[House]:
    """Compose it; `flags` are settings with `__` for the dot."""
    wanted: dict[str, object] = {
        "upstream.connect_seconds": 5.0, "upstream.first_byte_seconds": 20.0, "upstream.idle_seconds": 20.0,
        "upstream.total_seconds": 60.0, **{name.replace("__", "."): value for name, value in flags.items()},
    }  # fmt: skip
    settings, _ = read({"storage.data_dir": str(data), **wanted}, {}, data / "none.toml")
    with Premises(data) as premises:
        port = premises.hold_port(0, "gateway.port")
        unsealer = MemoryUnsealer(os.urandom, seal_of(settings).keys)
        plane = await open_control(settings, unsealer, lambda _boot, _frames: None)
        await perform(plane.desk, SYSTEM, catalog.import_prices, prices=PRICES)
        simulators: dict[str, Simulator] = {}
        try:
            async with _worker(settings, "gateway-1", port, limits) as (worker, logged):
                yield House(data, settings, plane, worker, port, logged, simulators)
        finally:
            await plane.close()
            for simulator in simulators.values():
                await simulator.close()


@asynccontextmanager
async def another_worker(house: House) -> AsyncIterator[House]:
    """The same house by another worker's door."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with _worker(house.settings, "gateway-2", port, None) as (worker, logged):
        yield House(house.data, house.settings, house.plane, worker, port, logged, house.simulators)


@asynccontextmanager
async def _worker(
    settings: Settings, name: str, port: int, limits: Limits | None
) -> AsyncIterator[tuple[GatewayWorker, list[str]]]:
    logged: list[str] = []
    rim = HttpRim("http://127.0.0.1/errors")

    def say(event: str, level: str = "info", **facts: object) -> None:
        logged.append(f"{level} {event} {facts}")

    def failure(event: str, error: BaseException, **facts: object) -> None:
        logged.append(f"failure {event} {error!r} {facts}")

    worker = GatewayWorker(settings, seal_of(settings).keys.values, name, Rim(rim.words, rim.aside, say, failure))
    await worker.open()
    rim.plugs = worker.plugs
    worker.plugs.rules = Rules(per_target=settings.upstream.attempts, base=0.01, cap=0.05)
    inside = Inside(
        handler=rim.handle, refuse=rim.refuse, new_id=RequestIds(worker.plugs.dice, worker.plugs.clock).new, clock=worker.plugs.clock,
        ticker=worker.ticker,
    )  # fmt: skip
    server = Server(inside, limits or Limits(body_bytes=settings.gateway.body_bytes))
    await server.start(bound_socket(port))
    try:
        yield worker, logged
    finally:
        await server.stop(1.0)
        await worker.close()
