"""A console with something to show: the real app on a real server, a store filled by the duties and by ingest's books.

`python -m tests.e2e.entrypoints.http.console.house` serves it for looking at, and prints a link.
"""

import asyncio
import contextlib
import math
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.books_sqlite import SqliteBooks
from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.adapters.storage.store import SqlStore, sqlite_store
from clavero.control import budgets, catalog, credentials, keys, members, signin
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.control.keys import NewKey
from clavero.control.members import NewMember
from clavero.control.unseal import Tools, open_desk
from clavero.domain.access import SYSTEM
from clavero.domain.budgets import RowKey, Subject, Window, budget_id, period_start
from clavero.domain.credentials import Network, Provider, ProviderKind
from clavero.domain.keys import Key
from clavero.domain.ledger import Ask, BootId, Place, Position, Talk
from clavero.domain.money import NANO
from clavero.domain.posting import Charge, Posting, Turn
from clavero.domain.pricing import Price, cost
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.entrypoints.http.console.mount import mount
from clavero.entrypoints.http.tail import Tail
from clavero.testing.unsealer import MemoryUnsealer
from clavero.wire.journal import Record

MINUTE = 60 * NANO
HOUR = 60 * MINUTE
BOOT = BootId("c" * 32)
PLACE = Place("here", "kernel-1", durable=True)
GATEWAY = "http://127.0.0.1:4141"
MINI = Price(id="openai/gpt-4o-mini", version="2026-11-01", input=150_000_000, cached=75_000_000, output=600_000_000)
BIG = Price(id="openai/gpt-4o", version="2026-11-01", input=2_500_000_000, cached=1_250_000_000, output=10_000_000_000)
KEYS = (
    ("prod-support-chat-01", "asha", ("gpt-4o-mini",)),
    ("prod-support-summary-01", "asha", ("gpt-4o-mini", "gpt-4o")),
    ("prod-growth-outreach-01", "mlopez", ("gpt-4o",)),
    ("prod-rag-search-02", "search", ()),
    ("staging-docs-helper-01", "docs", ("gpt-4o-mini",)),
    ("dev-voice-notes-01", "growth", ("gpt-4o-mini",)),
)


class ShiftedClock(SystemClock):
    """The machine's clock, so many nanoseconds earlier: for what happened before today."""

    shift_ns = 0

    def wall_ns(self) -> int:
        """UTC."""
        return super().wall_ns() - self.shift_ns


class House:
    """The store and the duties; a loop of its own, so that a browser's tests may stay synchronous."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "clavero.db"
        self.clock = ShiftedClock()
        self.posted = 0
        self.store: SqlStore
        self.desk: Desk

    async def open(self) -> None:
        """Schema, vault, desk."""
        self.store = sqlite_store(self.file)
        await self.store.open()
        self.desk = await open_desk(Tools(self.store, self.clock, SystemDice()), MemoryUnsealer(os.urandom))

    async def link(self) -> str:
        """A fresh token for the sign-in page."""
        return (await perform(self.desk, SYSTEM, signin.create_link)).reveal()

    async def do(self, work: Callable[..., Any], **values: Any) -> Any:
        """A change by the system."""
        return await perform(self.desk, SYSTEM, work, **values)

    async def furnish(self) -> dict[str, Key]:
        """A provider, prices, keys in several states, budgets."""
        simulated = Provider(
            name="openai-main", kind=ProviderKind.OPENAI, base_url="http://127.0.0.1:9", network=Network.LOOPBACK,
            models=("gpt-*",),
        )  # fmt: skip
        await self.do(credentials.add_provider, provider=simulated)
        await self.do(catalog.import_prices, prices=(MINI, BIG))
        for owner in sorted({owner for _, owner, _ in KEYS}):
            await self.do(members.add_member, wanted=NewMember(name=owner))
        made, now = {}, self.clock.wall_ns()
        for number, (name, owner, models) in enumerate(KEYS):
            self.clock.shift_ns = (70 - 9 * number) * 24 * HOUR
            wanted = NewKey(name=name, owner=owner, models=models, expires_ns=_expiry(name, now))
            made[name] = (await self.do(keys.create, wanted=wanted)).key
        self.clock.shift_ns = 30 * 24 * HOUR
        await self.do(keys.rotate, name="prod-support-summary-01", grace_ns=48 * HOUR)
        self.clock.shift_ns = 19 * HOUR
        await self.do(keys.rotate, name="prod-support-summary-01", grace_ns=24 * HOUR)
        self.clock.shift_ns = 0
        await self.do(keys.disable, name="dev-voice-notes-01", reason="the pilot ended")
        for budget in (
            NewBudget(subject=Subject.ORGANISATION, window=Window.DAY, limit_n=3 * NANO),
            NewBudget(subject=Subject.TEAM, name="default", window=Window.MONTH, limit_n=200 * NANO),
            NewBudget(subject=Subject.KEY, name="prod-support-chat-01", window=Window.DAY, limit_n=4 * NANO),
            NewBudget(subject=Subject.KEY, name="prod-growth-outreach-01", window=Window.DAY, limit_n=17 * NANO // 10),
        ):
            await self.do(budgets.set_budget, wanted=budget)
        return made

    def post(self, exchanges: list[tuple[Exchange, list[str]]]) -> None:
        """Post exchanges as ingest does: each charged to the budgets named beside it, from a worker's slice."""
        if not exchanges:
            return
        lender, books = SqliteLender(self.file, PLACE, self.clock), SqliteBooks(self.file, self.clock)
        try:
            if not self.posted:
                lender.register(BOOT, "w1")
            self._borrow(lender, exchanges)
            for begin in range(0, len(exchanges), 500):
                part = [_posting(exchange, names) for exchange, names in exchanges[begin : begin + 500]]
                turn = Turn(BOOT, Position(0, self.posted), Position(0, self.posted + 1), 1, [], part, [])
                assert books.post(turn) is not None
                self.posted += 1
        finally:
            lender.close()
            books.close()

    def _borrow(self, lender: SqliteLender, exchanges: list[tuple[Exchange, list[str]]]) -> None:
        need: dict[RowKey, int] = {}
        for exchange, names in exchanges:
            for row in _rows(exchange, names):
                need[row] = need.get(row, 0) + exchange.cost_n
        some = {row: amount for row, amount in need.items() if amount}
        if some:
            lender.talk(Talk(BOOT, 1, 0, {}, {}, (Ask("borrow", dict.fromkeys(some, 0), some, {}),)))


def day(house: House, made: dict[str, Key]) -> list[tuple[Exchange, list[str]]]:
    """A day of traffic: a daily wave, some retries, some refusals, a few failures."""
    now, found = house.clock.wall_ns(), []
    names = ["prod-support-chat-01", "prod-growth-outreach-01", "prod-support-summary-01", "prod-rag-search-02"]
    weights = (5, 2, 3, 2)
    serial = 0
    for minutes in range(24 * 60 - 3, 0, -3):
        at = now - minutes * MINUTE
        hour = at // HOUR % 24
        busy = 1 + round(3 * math.sin(math.pi * max(0, min(1, (hour - 5) / 16))))
        for turn in range(busy):
            name = [one for one, weight in zip(names, weights, strict=True) for _ in range(weight)][(serial * 7) % 12]
            found.append(_one(made[name], at + turn * 9 * NANO + serial % 10 * NANO // 10, serial))
            serial += 1
    found += [
        _refused(made["prod-support-chat-01"], now - 40 * NANO),
        _failed(made["prod-rag-search-02"], now - 95 * NANO),
    ]
    return found


def _one(key: Key, at: int, serial: int) -> tuple[Exchange, list[str]]:
    price = MINI if "gpt-4o-mini" in key.models or not key.models else BIG
    tokens = Tokens(input=700 + serial * 37 % 2400, cached=(serial % 5 == 0) * 1024, output=90 + serial * 53 % 620)
    ours = 700 + serial * 13 % 900
    total = 900_000 + serial * 7919 % 3_000_000
    retried = serial % 23 == 7
    attempts: tuple[Attempt, ...] = (
        Attempt("openai-main", price.id.partition("/")[2], ours, total, 200, ours + 300_000),
    )
    if retried:
        first = Attempt("azure-weu", price.id.partition("/")[2], ours, 300_000, 429, 0, "upstream_rate_limited")
        attempts = (first, Attempt("openai-main", attempts[0].model, 530_000, total, 200, 830_000, "", 230_000))
    whole = Exchange(
        request_id=f"req_{serial:021d}", at_ns=at, key_id=key.id, key_version=len(key.versions), owner=key.owner,
        service=key.service, team="default", project="default", environment=key.environment, endpoint="chat",
        model_asked=attempts[0].model, model_served=attempts[-1].model, provider="openai-main", tokens=tokens,
        cost_n=cost(price, tokens), price_version=price.version, attempts=attempts,
        first_token_us=1_310_000 if retried else 640_000, total_us=total, overhead_us=ours, status=200, streamed=True,
        peer=f"10.20.4.{serial % 3 + 31}", output_cap=4096, held_n=cost(price, Tokens(input=4000, output=4096)),
    )  # fmt: skip
    return whole, _names(key)


def _refused(key: Key, at: int) -> tuple[Exchange, list[str]]:
    refusal = Exchange(
        request_id="req_refused00000000000001", at_ns=at, key_id=key.id, key_version=1, owner=key.owner,
        service=key.service, team="default", project="default", environment=key.environment, endpoint="chat",
        model_asked="gpt-4o-mini", total_us=420, overhead_us=420, status=429, code="insufficient_quota",
        outcome="refused", peer="10.20.4.31",
    )  # fmt: skip
    return refusal, []


def _failed(key: Key, at: int) -> tuple[Exchange, list[str]]:
    attempts = tuple(
        Attempt(
            "openai-main", "gpt-4o-mini", start, start + 900_000, 502, 0, "upstream_error", 0 if n == 0 else 250_000
        )
        for n, start in enumerate((800, 1_150_800, 2_300_800))
    )
    failure = Exchange(
        request_id="req_failed000000000000001", at_ns=at, key_id=key.id, key_version=1, owner=key.owner,
        service=key.service, team="default", project="default", environment=key.environment, endpoint="chat",
        model_asked="gpt-4o-mini", model_served="gpt-4o-mini", provider="openai-main", attempts=attempts,
        total_us=3_201_000, overhead_us=900, status=502, code="upstream_error", outcome="failed", peer="10.31.0.7",
    )  # fmt: skip
    return failure, []


def _names(key: Key) -> list[str]:
    names = [budget_id(Subject.ORGANISATION, "default", Window.DAY), budget_id(Subject.TEAM, "default", Window.MONTH)]
    if key.name in {"prod-support-chat-01", "prod-growth-outreach-01"}:
        names.append(budget_id(Subject.KEY, key.id, Window.DAY))
    return [str(name) for name in names]


def _rows(exchange: Exchange, names: list[str]) -> list[RowKey]:
    return [RowKey(name, period_start(Window(name.rpartition(":")[2]), exchange.at_ns)) for name in names]  # type: ignore[arg-type]


def _posting(exchange: Exchange, names: list[str]) -> Posting:
    rows = _rows(exchange, names)
    return Posting(exchange.request_id, exchange, tuple(Charge(row, exchange.cost_n, exchange.cost_n) for row in rows))


def _expiry(name: str, now: int) -> int:
    days = {"prod-growth-outreach-01": 5, "prod-support-chat-01": 360, "staging-docs-helper-01": 40}.get(name, 0)
    return now + days * 24 * HOUR if days else 0


class Served:
    """The console on a port of this machine; calls reach its loop from the test's thread."""

    def __init__(self, folder: Path, *, furnished: bool = True) -> None:
        self.house = House(folder)
        self.made: dict[str, Key] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self.house.open())
        if furnished:
            self.made = self.run(self.house.furnish())
            self.house.post(day(self.house, self.made))
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self.tail = Tail(self.house.clock)
        mount(app, self.house.desk, gateway_url=GATEWAY, tail=self.tail)
        self._socket = _socket(0)
        self._app = app
        self._serve()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def run(self, work: Any) -> Any:
        """Run something on the house's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def link(self) -> str:
        """Where a browser signs in."""
        return f"{self.url}/sign-in#{self.run(self.house.link())}"

    def heard(self, *exchanges: Exchange) -> None:
        """Have exchanges told as ingest tells them."""
        self.tail.heard(BOOT, [Record(exchange) for exchange in exchanges])

    def restart(self, away: Callable[[], None]) -> None:
        """End the server as a control plane ends, and begin another on the same port; its tail has a life of its own."""
        port = self._socket.getsockname()[1]
        self._stop()
        self._socket.close()
        away()
        self._socket = _socket(port)
        self.tail = Tail(self.house.clock)
        self._app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        mount(self._app, self.house.desk, gateway_url=GATEWAY, tail=self.tail)
        self._serve()

    def _serve(self) -> None:
        config = uvicorn.Config(
            self._app, log_level="warning", lifespan="off", server_header=False, timeout_graceful_shutdown=3
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.run_coroutine_threadsafe(self._server.serve([self._socket]), self._loop)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self.tail.end)
        self._server.should_exit = True
        self._serving.result(30)

    def close(self) -> None:
        """Stop serving, close the store, end the loop."""
        self._stop()
        self.run(self.house.store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._socket.close()


def _socket(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


@contextlib.contextmanager
def served(folder: Path, *, furnished: bool = True) -> Iterator[Served]:
    """A served house for the length of a block."""
    house = Served(folder, furnished=furnished)
    try:
        yield house
    finally:
        house.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, served(Path(place), furnished="--empty" not in sys.argv) as shown:
        print(shown.link(), flush=True)
        threading.Event().wait()
