"""Which database: one file in the data directory, or a server by URL. The only place that decides it."""

import shlex

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage.epochs import FILE as EPOCH
from clavero.adapters.storage.epochs import Epochs
from clavero.control.retention import Archive
from clavero.domain.ledger import Place
from clavero.domain.pins import Pin
from clavero.domain.startup import StartFailure
from clavero.ports.ledger import Books, Lender
from clavero.ports.publication import Publication
from clavero.settings import Settings, Storage

DATABASE = "clavero.db"
_VERBS = "clavero db "


def lender_of(settings: Settings, place: Place) -> Lender:
    """A worker's way to the ledger."""
    if is_server(settings):
        from clavero.adapters.storage.lender_postgres import PostgresLender

        return PostgresLender(settings.storage.database_url, place)
    from clavero.adapters.storage.lender_sqlite import SqliteLender

    return SqliteLender(settings.data / DATABASE, place, SystemClock())


def publication_of(settings: Settings) -> Publication:
    """A worker's way to what is published."""
    if is_server(settings):
        from clavero.adapters.storage.publication_postgres import PostgresPublication

        return PostgresPublication(settings.storage.database_url, SystemClock())
    from clavero.adapters.storage.publication_sqlite import SqlitePublication

    return SqlitePublication(settings.data / DATABASE, SystemClock())


def books_of(settings: Settings) -> Books:
    """A reader's way to the ledger."""
    if is_server(settings):
        from clavero.adapters.storage.books_postgres import PostgresBooks

        return PostgresBooks(settings.storage.database_url, SystemClock())
    from clavero.adapters.storage.books_sqlite import SqliteBooks

    return SqliteBooks(settings.data / DATABASE, SystemClock())


def archive_of(settings: Settings) -> Archive:
    """A way to what is old."""
    if is_server(settings):
        from clavero.adapters.storage.archive_postgres import PostgresArchive

        return PostgresArchive(settings.storage.database_url, SystemClock())
    from clavero.adapters.storage.archive_sqlite import SqliteArchive

    return SqliteArchive(settings.data / DATABASE, SystemClock())


def epochs_of(settings: Settings) -> Epochs:
    """The marks in the database and beside it; blocking, for one thread at a time."""
    if is_server(settings):
        from clavero.adapters.storage.session_postgres import PostgresDatabase

        return Epochs(settings.data / EPOCH, PostgresDatabase(settings.storage.database_url))
    from clavero.adapters.storage.session_sqlite import SqliteDatabase

    return Epochs(settings.data / EPOCH, SqliteDatabase(settings.data / DATABASE, SystemClock(), patience=10.0))


def pins_of(settings: Settings) -> list[Pin]:
    """The backups whose restore would have to read journals."""
    epochs = epochs_of(settings)
    try:
        return epochs.pins(settings.backup.journal_days)
    finally:
        epochs.close()


def is_server(settings: Settings) -> bool:
    """Whether a PostgreSQL server is asked for; `StartFailure` for a URL of anything else."""
    url = settings.storage.database_url
    if url and not url.startswith(("postgresql://", "postgres://")):
        fix = "DATABASE_URL=postgresql://…, or leave it out for SQLite"
        raise StartFailure("bad_setting", "storage.database_url is no PostgreSQL URL", fix)
    return bool(url)


def here(failure: StartFailure, settings: Settings) -> StartFailure:
    """The failure with a command that can be pasted: it names the data directory, where that is not the usual one."""
    if not failure.fix.startswith(_VERBS) or settings.storage.data_dir == Storage().data_dir:
        return failure
    fix = f"{failure.fix} --data-dir {shlex.quote(settings.storage.data_dir)}"
    return StartFailure(failure.code, failure.message, fix, failure.exit_code)
