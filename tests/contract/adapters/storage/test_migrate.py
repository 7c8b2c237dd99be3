"""An old database with what it held becomes what a first start makes, and loses nothing, however often it is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.contract.adapters.storage.databases import (
    KINDS,
    NEXT,
    Base,
    empty,
    fill_old,
    old_rows,
    rows_of,
    versions,
    with_things,
)

from clavero.adapters.storage.migrate import Migrations, Progress, Step, others
from clavero.adapters.storage.schema import Stamp, prepare, read_stamp
from clavero.adapters.storage.shape import differences, shape
from clavero.adapters.storage.store import postgres_store
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.domain.startup import StartFailure

# Tables whose rows a migration puts elsewhere; its own test says where. meta is the stamp itself.
MOVED = {"meta", "usage"}


def quiet(_progress: Progress) -> None:
    """Say nothing."""


@pytest.fixture(params=KINDS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    return empty(request.param, tmp_path, request.getfixturevalue("postgres_url") if request.param != "sqlite" else "")


def old(base: Base, version: int = 1) -> Base:
    with base.engine.begin() as connection:
        fill_old(connection, base.dialect, version)
    return base


def later(base: Base) -> Base:
    """A database that the scripts of `NEXT` have work on."""
    with base.engine.begin() as connection:
        with_things(connection, base.dialect)
    return base


def test_the_last_script_leads_to_the_version_of_the_code() -> None:
    assert Migrations().newest == SCHEMA_VERSION
    assert [step.version for step in Migrations().plan(Stamp(1))] == list(range(2, SCHEMA_VERSION + 1))


@pytest.mark.parametrize("version", versions())
def test_a_migrated_database_is_what_a_first_start_makes(
    base: Base, version: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    Migrations().run(old(base, version).engine, base.dialect, quiet)
    with base.engine.begin() as connection:
        migrated = shape(connection, base.dialect)
        assert read_stamp(connection) == Stamp(SCHEMA_VERSION)
        prepare(connection, base.dialect)  # a start takes it
    (tmp_path / "fresh").mkdir()
    fresh = empty("postgres" if base.url else "sqlite", tmp_path / "fresh", base.url)
    with fresh.engine.begin() as connection:
        prepare(connection, fresh.dialect)
        assert differences(shape(connection, fresh.dialect), migrated) == []


@pytest.mark.parametrize("version", versions())
def test_a_migration_keeps_every_row(base: Base, version: int) -> None:
    Migrations().run(old(base, version).engine, base.dialect, quiet)
    wanted: dict[str, int] = {}
    with base.engine.begin() as connection:
        found = {name: rows_of(connection, name) for name in {name for name, _ in old_rows(version)} - MOVED}
        for name, row in old_rows(version):
            if name in found:
                wanted[name] = wanted.get(name, 0) + 1
                assert any(row.items() <= one.items() for one in found[name]), (name, row)
    assert {name: len(rows) for name, rows in found.items()} == wanted


def test_pieces_are_told_and_the_last_step_drops_what_nobody_needs(base: Base) -> None:
    told: list[Progress] = []
    steps = Migrations(NEXT).run(later(base).engine, base.dialect, told.append)
    assert steps == [Step(2, "Names in capitals."), Step(3, "Things have a colour.")]
    assert [(one.step.version, one.rows, one.done) for one in told] == [
        (2, 0, False), (2, 2, False), (2, 4, False), (2, 5, False), (2, 5, True), (3, 0, False), (3, 0, True),
    ]  # fmt: skip
    with base.engine.begin() as connection:
        assert [tuple(row.values()) for row in rows_of(connection, "thing")] == [
            (number, letter, "") for number, letter in enumerate("ABCDE", 1)
        ]
        assert set(rows_of(connection, "thing")[0]) == {"id", "loud", "colour"}


@pytest.mark.parametrize("stop", range(7))
def test_a_migration_that_was_stopped_goes_on_and_is_refused_meanwhile(base: Base, stop: int) -> None:
    told: list[Progress] = []

    def stopping(progress: Progress) -> None:
        told.append(progress)
        if len(told) == stop + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Migrations(NEXT).run(later(base).engine, base.dialect, stopping)
    with base.engine.begin() as connection:
        stamp = read_stamp(connection)
        assert stamp is not None
        if stamp not in {Stamp(1), Stamp(SCHEMA_VERSION)}:  # these scripts are not the code's own
            with pytest.raises(StartFailure) as caught:
                prepare(connection, base.dialect)
            assert caught.value.code in {"database_newer", "database_older", "database_half_migrated"}
    Migrations(NEXT).run(base.engine, base.dialect, quiet)
    with base.engine.begin() as connection:
        assert [row["loud"] for row in rows_of(connection, "thing")] == list("ABCDE")
        assert read_stamp(connection) == Stamp(3)


KILLED = """
import os, signal, sys
from pathlib import Path
from clavero.adapters.storage.engines import postgres_engine, sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.migrate import Migrations
from sqlalchemy import event
where, scripts, at = sys.argv[1:]
server = where.startswith("postgresql")
engine = postgres_engine(where) if server else sqlite_engine(Path(where))
seen = 0
@event.listens_for(engine, "before_cursor_execute")
def count(*_):
    global seen
    seen += 1
    if seen == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
Migrations(Path(scripts)).run(engine, Dialect.POSTGRESQL if server else Dialect.SQLITE, lambda _: None)
print(seen)
"""


def run_killed(base: Base, folder: Path, at: int) -> subprocess.CompletedProcess[str]:
    where = base.url or str(folder / "clavero.db")
    command = [sys.executable, "-c", KILLED, where, str(NEXT), str(at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def whole(base: Base) -> None:
    Migrations(NEXT).run(base.engine, base.dialect, quiet)
    with base.engine.begin() as connection:
        assert [row["loud"] for row in rows_of(connection, "thing")] == list("ABCDE")
        assert read_stamp(connection) == Stamp(3)


@pytest.mark.parametrize("at", [13])
def test_a_migration_that_was_killed_at_a_statement_goes_on(base: Base, at: int, tmp_path: Path) -> None:
    later(base)
    assert run_killed(base, tmp_path, at).returncode == -signal.SIGKILL
    whole(base)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_migration_killed_at_every_statement_goes_on(base: Base, tmp_path: Path) -> None:
    file = tmp_path / "clavero.db"
    for at in range(1, 400):
        if base.url:
            base = empty("postgres", tmp_path, base.url)
        else:
            for one in tmp_path.glob("clavero.db*"):
                one.unlink()
        ended = run_killed(later(base), tmp_path, at)
        whole(base)
        print(at, ended.returncode, file.name, flush=True)
        if ended.returncode == 0:
            assert at > 25
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    else:
        raise AssertionError("it never ended")


def test_a_database_beyond_the_scripts_is_left_alone(base: Base) -> None:
    with base.engine.begin() as connection:
        prepare(connection, base.dialect)
        connection.execute(text("UPDATE meta SET value = '999' WHERE name = 'schema'"))
    with pytest.raises(StartFailure) as caught:
        Migrations().run(base.engine, base.dialect, quiet)
    assert caught.value.code == "database_newer"


def test_an_empty_database_is_not_migrated(base: Base) -> None:
    with pytest.raises(StartFailure) as caught:
        Migrations().run(base.engine, base.dialect, quiet)
    assert caught.value.code == "database_missing"
    assert base.tables() == []


async def test_a_clavero_that_uses_the_server_from_elsewhere_is_seen(base: Base) -> None:
    if not base.url:
        with base.engine.begin() as connection:
            assert others(connection, base.dialect) == []
        return
    store = postgres_store(base.url)
    await store.open()
    async with store.read() as look:
        await look.rows("meta")
        with base.engine.begin() as connection:
            assert others(connection, base.dialect) == ["this machine"]
    await store.close()
