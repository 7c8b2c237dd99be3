"""Who reads the journals of this machine: the control plane, or, where that is elsewhere, a small process of its own.

Neither framework nor ORM is needed for it; a test looks.
"""

from msgspec import Struct

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.segments import Segments
from clavero.bootstrap.storage import books_of, epochs_of, is_server, pins_of
from clavero.control.ingest import POSTGRES_PACE, SQLITE_PACE, Heard, Ingest
from clavero.control.reclaim import Reclaim, silent_ns
from clavero.control.recovery import Recovery
from clavero.domain.startup import StartFailure
from clavero.ports.ledger import Books
from clavero.settings import Settings

_EVERY_SEGMENT = 1 << 62


class Reading(Struct):
    """Ingest and reclaim of one journal directory."""

    books: Books
    ingest: Ingest
    reclaim: Reclaim
    recovery: Recovery
    home: str  # which journal directory it is

    async def close(self) -> None:
        """Read what the workers wrote last, then let the database go; what cannot be read now is read later."""
        try:
            while await self.ingest.round():
                pass
        except ConnectionError:
            pass
        self.books.close()
        self.recovery.close()


def open_reading(settings: Settings, heard: Heard = lambda *_: None) -> Reading:
    """Opens nothing yet: the first look connects. `heard` is told of frames once they are durable."""
    durable = settings.journal.durability == "power"
    journals = Segments(settings.data / "journal", durable=durable, pins=lambda: pins_of(settings))
    books, kept = books_of(settings), settings.journal.kept_segments
    pace = POSTGRES_PACE if is_server(settings) else SQLITE_PACE
    ingest = Ingest(journals, books, SystemClock(), pace, heard=heard, kept=kept)
    silent = silent_ns(settings.ledger.stale_seconds)
    reclaim = Reclaim(journals, books, ingest, silent_ns=silent, kept=kept)
    again = Ingest(journals, books, SystemClock(), pace, kept=_EVERY_SEGMENT)
    recovery = Recovery(epochs_of(settings), journals, books, again, alone=not is_server(settings))
    return Reading(books, ingest, reclaim, recovery, journals.place.home)


def needs_server(settings: Settings) -> None:
    """Refuse to share a file between machines; `StartFailure` with the remedy."""
    if settings.is_outpost and not is_server(settings):
        raise StartFailure(
            "needs_server",
            "a control plane elsewhere needs PostgreSQL: SQLite means one machine",
            "DATABASE_URL=postgresql://…, the same as on the machine of the control plane",
        )
