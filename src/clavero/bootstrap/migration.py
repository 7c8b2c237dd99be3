"""What `clavero db migrate` is composed of. Alembic is loaded here and nowhere else."""

import asyncio
from pathlib import Path

from sqlalchemy import Engine

from clavero.adapters.storage.engines import postgres_engine, sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.migrate import Migrations, Progress, Step, Told, others
from clavero.adapters.storage.schema import read_stamp
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.adapters.storage.wording import opening
from clavero.bootstrap.database import Told as Copied
from clavero.bootstrap.database import keep_note, take
from clavero.bootstrap.storage import DATABASE, is_server
from clavero.domain.startup import Exit, StartFailure
from clavero.settings import Settings

__all__ = ["Progress", "Step", "backed_up_before", "migrate", "plan_migration"]


def plan_migration(settings: Settings) -> list[Step]:
    """The steps from the database as it is to what this version knows; `StartFailure` where it is not ours."""
    engine, _ = _engine(settings)
    with opening(), engine.begin() as connection:
        stamp = read_stamp(connection)
    if stamp is None:
        raise _missing()
    return Migrations().plan(stamp)


def backed_up_before(settings: Settings, told: Copied) -> Path | None:
    """A backup in DATA/backup of the database as it is; None where a stopped migration has taken one already."""
    engine, _ = _engine(settings)
    with opening(), engine.begin() as connection:
        stamp = read_stamp(connection)
    return None if stamp is None or stamp.towards else take(settings, None, told, noted=False).file


def migrate(settings: Settings, told: Told) -> list[Step]:
    """Take the steps that are left. The caller holds the lock of the data directory."""
    engine, dialect = _engine(settings)
    with opening():
        with engine.begin() as connection:
            elsewhere = others(connection, dialect)
        if elsewhere:
            message = f"clavero uses this database from {', '.join(elsewhere)}"
            raise StartFailure("already_running", message, "stop it there, then repeat", Exit.ALREADY_RUNNING)
        steps = Migrations().run(engine, dialect, told)
    if steps and steps[-1].version == SCHEMA_VERSION:  # the trail is written as this version has it
        what = ", ".join(f"{step.version}: {step.about}" for step in steps)
        asyncio.run(keep_note(settings, "db.migrate", f"schema {SCHEMA_VERSION}", what))
    return steps


def _engine(settings: Settings) -> tuple[Engine, Dialect]:
    if is_server(settings):
        return postgres_engine(settings.storage.database_url), Dialect.POSTGRESQL
    file = settings.data / DATABASE
    if not file.exists():  # SQLite would make an empty one
        raise _missing()
    return sqlite_engine(file), Dialect.SQLITE


def _missing() -> StartFailure:
    return StartFailure("database_missing", "there is no database yet", "clavero up makes one")
