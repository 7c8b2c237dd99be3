"""Bringing an old database to the schema of this version, step by step, each step whole or not at all.

The scripts in `migrations/` are Alembic's: one `upgrade()` in one transaction, which also says in `meta` what is on its
way. Where rows have to be moved, `fill(connection, marker)` does a piece in a transaction of its own and returns the
marker of the next; `finish()` drops what nobody needs any more and gives the database its new number. Killed at any
point, the next run goes on from the last piece that was committed.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, insert, text

from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.schema import Stamp, newer, read_stamp, wait_for_turn
from clavero.adapters.storage.tables import META
from clavero.domain.startup import StartFailure

SCRIPTS = Path(__file__).parent / "migrations"


class Step(Struct, frozen=True):
    """One migration: the version that it leads to, and what it changes, in one line."""

    version: int
    about: str


class Piece(Struct, frozen=True):
    """What one call of a script's `fill` did; `marker` is where the next one begins, None where nothing is left."""

    marker: str | None
    rows: int = 0


class Progress(Struct, frozen=True):
    """How far a migration is: its step, rows moved so far, whether the step is done."""

    step: Step
    rows: int = 0
    done: bool = False


Told = Callable[[Progress], None]


class Migrations:
    """The scripts of one directory, in their order."""

    def __init__(self, directory: Path = SCRIPTS) -> None:
        found = ScriptDirectory(str(directory), version_locations=[str(directory)]).walk_revisions()
        self._modules = {int(script.revision): script.module for script in found}

    @property
    def newest(self) -> int:
        """The version that the last script leads to."""
        return max(self._modules)

    def plan(self, stamp: Stamp) -> list[Step]:
        """The steps that are left; `StartFailure` where the database is beyond what the scripts know."""
        known = max(stamp.version, stamp.towards)
        if known > self.newest:
            raise newer(known, self.newest)
        return [Step(number, _about(module)) for number, module in self._left(stamp)]

    def run(self, engine: Engine, dialect: Dialect, told: Told) -> list[Step]:
        """Take every step that is left; returns them. `StartFailure` where there is no database of ours."""
        with engine.begin() as connection:
            stamp = _found(connection)
        steps = self.plan(stamp)
        for step in steps:
            self._take(engine, dialect, step, told)
        return steps

    def _left(self, stamp: Stamp) -> list[tuple[int, ModuleType]]:
        return sorted((number, module) for number, module in self._modules.items() if number > stamp.version)

    def _take(self, engine: Engine, dialect: Dialect, step: Step, told: Told) -> None:
        module, rows = self._modules[step.version], 0
        told(Progress(step))
        with engine.begin() as connection:
            wait_for_turn(connection, dialect)
            stamp = _found(connection)
            if stamp.version >= step.version:
                return
            if stamp.towards != step.version:
                _run(connection, module.upgrade)
                _mark(connection, migrating=str(step.version), migrating_at="")
        fill = getattr(module, "fill", None)
        while fill is not None:
            with engine.begin() as connection:
                wait_for_turn(connection, dialect)
                piece: Piece = fill(connection, _found(connection).marker)
                if piece.marker is not None:
                    _mark(connection, migrating_at=piece.marker)
            rows += piece.rows
            told(Progress(step, rows))
            if piece.marker is None:
                break
        with engine.begin() as connection:
            wait_for_turn(connection, dialect)
            _run(connection, getattr(module, "finish", None))
            connection.execute(delete(META).where(META.c.name.in_(("migrating", "migrating_at"))))
            _mark(connection, schema=str(step.version))
        told(Progress(step, rows, done=True))


def others(connection: Connection, dialect: Dialect) -> list[str]:
    """The addresses from which a running clavero uses this server, where it may be another machine's."""
    if dialect is Dialect.SQLITE:
        return []
    found = connection.execute(
        text(
            """SELECT DISTINCT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'clavero' ORDER BY 1"""
        )
    )
    return [str(address) for (address,) in found]


def _found(connection: Connection) -> Stamp:
    stamp = read_stamp(connection)
    if stamp is None:
        raise StartFailure("database_missing", "there is no database yet", "clavero up makes one")
    return stamp


def _run(connection: Connection, work: Callable[[], None] | None) -> None:
    """Run a part of a script with Alembic's `op` on this connection, inside its transaction."""
    if work is not None:
        with Operations.context(MigrationContext.configure(connection)):
            work()


def _mark(connection: Connection, **values: str) -> None:
    connection.execute(delete(META).where(META.c.name.in_(list(values))))
    connection.execute(insert(META), [{"name": name, "value": value} for name, value in values.items()])


def _about(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().partition("\n")[0]
