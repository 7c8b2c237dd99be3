"""What the control plane is composed of: store, vault, desk, ingest and reclaim."""

import asyncio
from pathlib import Path

from msgspec import Struct

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.segments import Segments
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.witness.file import FileWitness
from clavero.bootstrap.storage import DATABASE, here, is_server
from clavero.control.commit import Desk
from clavero.control.ingest import POSTGRES_PACE, SQLITE_PACE, Heard, Ingest
from clavero.control.reclaim import Reclaim
from clavero.control.unseal import Tools, open_desk
from clavero.domain.names import rule_of
from clavero.domain.startup import StartFailure
from clavero.ports import Books, Clock, Unsealer
from clavero.settings import Settings

# A driver whose connection failed still tells so from a thread of its own; a loop that has closed would be a traceback.
_LAST_WORDS_SECONDS = 0.1


class ControlPlane(Struct):
    """The parts that run for as long as the process does."""

    store: SqlStore
    books: Books
    desk: Desk
    ingest: Ingest
    reclaim: Reclaim
    witnesses: tuple[FileWitness, ...]

    async def close(self) -> None:
        """Read what the workers wrote last, then let the database go."""
        while await self.ingest.round():
            pass
        await self.store.close()
        self.books.close()


async def open_control(settings: Settings, unsealer: Unsealer, heard: Heard) -> ControlPlane:
    """Make or check the schema, open the vault; `StartFailure` where either is not ours. `heard` is told of frames."""
    store = _store(settings)
    try:
        await store.open()
    except StartFailure as failure:
        await store.close()
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        raise here(failure, settings) from None
    names = rule_of(settings.keys.name_pattern, settings.keys.name_words)
    journals = Segments(settings.data / "journal", durable=settings.journal.durability == "power")
    desk = await open_desk(Tools(store, SystemClock(), SystemDice(), names), unsealer, journals.place.home)
    books, kept = _books(settings), settings.journal.kept_segments
    pace = POSTGRES_PACE if is_server(settings) else SQLITE_PACE
    ingest = Ingest(journals, books, SystemClock(), pace, heard=heard, kept=kept)
    reclaim = Reclaim(journals, books, ingest, kept=kept)
    return ControlPlane(store, books, desk, ingest, reclaim, _witnesses(settings))


def _witnesses(settings: Settings) -> tuple[FileWitness, ...]:
    """Beside the database, and where the operator wants it as well."""
    named = settings.audit.witness
    files = [settings.data / "audit" / "checkpoints.jsonl", *([Path(named)] if named else [])]
    return tuple(FileWitness(file) for file in files)


def machine_clock() -> Clock:
    """The machine's time, for what is counted beside the duties."""
    return SystemClock()


def _store(settings: Settings) -> SqlStore:
    if is_server(settings):
        return postgres_store(settings.storage.database_url)
    return sqlite_store(settings.data / DATABASE)


def _books(settings: Settings) -> Books:
    if is_server(settings):
        from clavero.adapters.storage.books_postgres import PostgresBooks

        return PostgresBooks(settings.storage.database_url, SystemClock())
    from clavero.adapters.storage.books_sqlite import SqliteBooks

    return SqliteBooks(settings.data / DATABASE, SystemClock())
