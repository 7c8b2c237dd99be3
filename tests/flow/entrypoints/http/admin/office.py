"""The real application on a real desk over SQLite, asked as programs ask it; only the socket is left out."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from tests.unit.control.desk import open_desk

from clavero.adapters.storage.books_sqlite import SqliteBooks
from clavero.adapters.storage.lender_sqlite import SqliteLender
from clavero.control.commit import Desk, perform
from clavero.control.signin import create_token
from clavero.domain.access import SYSTEM, Role
from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.posting import Posting, Turn
from clavero.domain.usage import Exchange
from clavero.entrypoints.http.admin.app import make_app
from clavero.entrypoints.http.admin.facts import AdminFacts
from clavero.entrypoints.http.admin.meter import Meter
from clavero.entrypoints.http.admin.recent import Recent
from clavero.entrypoints.http.tail import Tail
from clavero.ports.ledger import Books, Lender
from clavero.settings import Setting

HOME = "http://127.0.0.1:4142"
BOOT = BootId("b" * 32)
SETTINGS = (
    Setting("admin.port", 4142, "default", "Port of console and admin API."),
    Setting("storage.database_url", "postgresql://clavero:hunter22@db/clavero", "DATABASE_URL", "Where state lives."),
)


class Office:
    """One application; `owner` and `auditor` ask with their tokens, `stranger` without one."""

    def __init__(self, desk: Desk, folder: Path, ledger: Callable[[], tuple[Lender, Books]] | None = None) -> None:
        self.desk = desk
        self.folder = folder
        self._ledger = ledger or self._on_file
        self.meter = Meter(desk.clock)
        self.tail = Tail(desk.clock)
        self.recent = Recent(desk.clock)
        facts = AdminFacts(
            version="9.9.9",
            gateway_url="http://127.0.0.1:4141",
            console_url=HOME,
            meter=self.meter,
            tail=self.tail,
            recent=self.recent,
            journal=folder / "journal",
            settings=SETTINGS,
            patience_s=0.3,
        )
        self.app: FastAPI = make_app(desk, facts)
        self.stranger = self.client("")
        self.owner = self.stranger
        self.auditor = self.stranger

    async def open(self) -> None:
        self.owner = self.client((await perform(self.desk, SYSTEM, create_token, role=Role.OWNER)).reveal())
        self.auditor = self.client((await perform(self.desk, SYSTEM, create_token, role=Role.AUDITOR)).reveal())

    def client(self, token: str, address: str = "127.0.0.1", **headers: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.app, client=(address, 5), raise_app_exceptions=False)
        sent = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(transport=transport, base_url=HOME, headers=sent | headers)

    async def ask(self, method: str, path: str, wanted: int = 200, **more: Any) -> Any:
        """Ask as the owner; the status is what it should be, and the body is read."""
        answer = await self.owner.request(method, f"/api/v1{path}", **more)
        assert answer.status_code == wanted, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, wanted: int, **more: Any) -> dict[str, str]:
        """Ask as the owner for what is refused; the error."""
        error: dict[str, str] = (await self.ask(method, path, wanted, **more))["error"]
        return error

    def post(self, *exchanges: Exchange) -> None:
        """Have exchanges posted, as ingest would."""
        lender, books = self._ledger()
        with contextlib.closing(lender), contextlib.closing(books):
            lender.register(BOOT, "w1")
            boot = next(one for one in books.boots()[1] if one.id == BOOT)
            to = Position(0, boot.at.off + 10)
            postings = [Posting(f"{one.request_id}.{int(one.final) + 1}", one) for one in exchanges]
            assert books.post(Turn(BOOT, boot.at, to, 10, [], postings)) is not None

    def _on_file(self) -> tuple[Lender, Books]:
        file = self.folder / "clavero.db"
        return SqliteLender(file, Place("h", "k"), self.desk.clock), SqliteBooks(file, self.desk.clock)


@contextlib.asynccontextmanager
async def open_office(folder: Path) -> AsyncIterator[Office]:
    """An application over an empty database."""
    async with open_desk(folder) as desk:
        office = Office(desk, folder)
        await office.open()
        yield office
