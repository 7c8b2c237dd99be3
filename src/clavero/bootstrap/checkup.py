"""What `clavero db check` is composed of: it reads everything and changes nothing."""

import contextlib
from collections.abc import Iterator

from msgspec import Struct
from sqlalchemy import Connection, Engine

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage import checkup
from clavero.adapters.storage.engines import looking, postgres_engine, sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.rows import from_row
from clavero.adapters.storage.schema import check, read_stamp
from clavero.adapters.storage.segments import Segments
from clavero.adapters.storage.tables import TABLES
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.adapters.storage.wording import opening
from clavero.bootstrap.database import Told, newest_ns
from clavero.bootstrap.storage import DATABASE, epochs_of, is_server
from clavero.bootstrap.supervisor import Passphrases, open_seal, seal_file
from clavero.domain.epochs import Standing, standing
from clavero.domain.ledger import BootId, Position
from clavero.domain.sealing import SealedKey
from clavero.domain.startup import StartFailure
from clavero.settings import Settings
from clavero.vault.barrier import Barrier
from clavero.vault.box import CannotOpen
from clavero.vault.columns import COLUMNS
from clavero.vault.keyring import Keyring

_DAY_NS = 24 * 3600 * 1_000_000_000


class Finding(Struct, frozen=True):
    """One thing that was looked at; `state` is ok, warn or bad; amounts are nano-USD, numbers are row counts."""

    name: str
    state: str
    text: str
    details: tuple[str, ...] = ()
    fix: str = ""


def check_all(settings: Settings, told: Told, *, deep: bool, passphrases: Passphrases) -> Iterator[Finding]:
    """Look at everything, one thing after the other; `StartFailure` where there is no database of ours to look at."""
    engine, dialect = _engine(settings)
    try:
        with opening():
            yield from _schema(engine, dialect)
            with looking(engine) as connection:
                yield _pages(connection, dialect, deep=deep)
                yield _ledger(connection)
                yield _audit(connection, told)
                yield _vault(settings, connection, passphrases)
                yield _journals(settings, connection)
            yield _epoch(settings)
            yield last_backup(settings)
    finally:
        engine.dispose()


def at_a_glance(settings: Settings) -> list[Finding]:
    """The schema's number and the newest backup; `StartFailure` where there is no database that a start would take."""
    engine, _ = _engine(settings)
    try:
        with opening(), looking(engine) as connection:
            stamp = read_stamp(connection)
    finally:
        engine.dispose()
    if stamp is None:
        raise StartFailure("database_missing", "there is no database yet", "clavero up makes one")
    check(stamp)
    return [Finding("schema", "ok", f"version {stamp.version}"), last_backup(settings)]


def last_backup(settings: Settings) -> Finding:
    """When the newest backup of DATA/backup was taken."""
    newest = newest_ns(settings)
    if not newest:
        return Finding("backup", "warn", "there is none in DATA/backup", fix="clavero db backup")
    age = SystemClock().wall_ns() - newest
    late = settings.backup.every_hours and age > 2 * settings.backup.every_hours * _DAY_NS / 24
    text = (
        f"the newest is {age / _DAY_NS:.1f} days old"
        if age > _DAY_NS
        else f"the newest is {age // 3_600_000_000_000} h old"
    )
    return Finding("backup", "warn" if late else "ok", text, fix="clavero db backup" if late else "")


def _engine(settings: Settings) -> tuple[Engine, Dialect]:
    if is_server(settings):
        return postgres_engine(settings.storage.database_url), Dialect.POSTGRESQL
    if not (settings.data / DATABASE).exists():
        raise StartFailure("database_missing", "there is no database yet", "clavero up makes one")
    return sqlite_engine(settings.data / DATABASE), Dialect.SQLITE


def _schema(engine: Engine, dialect: Dialect) -> Iterator[Finding]:
    with looking(engine) as connection:
        stamp = read_stamp(connection)
    if stamp is None:
        raise StartFailure("database_missing", "there is no database yet", "clavero up makes one")
    check(stamp)
    lines = checkup.schema_differences(engine, dialect)
    if lines:
        text = f"version {SCHEMA_VERSION}, changed by hand in {len(lines)} places"
        yield Finding("schema", "bad", text, tuple(lines), "undo the changes, or restore a backup")
    else:
        yield Finding("schema", "ok", f"version {SCHEMA_VERSION}, as this clavero makes it")


def _pages(connection: Connection, dialect: Dialect, *, deep: bool) -> Finding:
    lines = checkup.pages(connection, dialect, deep=deep)
    if lines:
        return Finding("integrity", "bad", "the database is damaged", tuple(lines), "clavero db restore FILE --replace")
    return Finding("integrity", "ok", "whole" if deep else "whole; --deep compares every index with its table")


def _ledger(connection: Connection) -> Finding:
    lines = tuple(checkup.ledger(connection))
    if lines:
        return Finding("ledger", "bad", f"{len(lines)} sums do not agree", lines, "clavero db backup, then report it")
    return Finding("ledger", "ok", "leased is the sum of shares, posted the sum of usage, no limit is passed unknown")


def _audit(connection: Connection, told: Told) -> Finding:
    rows, bad = checkup.audit(connection, told)
    if bad:
        fix = "keep a copy of the database; compare with a backup"
        return Finding("audit", "bad", f"row {bad} is not as it was written", fix=fix)
    return Finding("audit", "ok", f"{rows:,} rows, each as it was written")


def _vault(settings: Settings, connection: Connection, passphrases: Passphrases) -> Finding:
    """How many sealed cells open; never what is in them."""
    rows = [from_row(SealedKey, row) for row in connection.execute(TABLES[SealedKey].select())]
    if not rows:
        return Finding("vault", "ok", "nothing is sealed yet")
    if not seal_file(settings).exists():  # opening it would make a new one
        return Finding("vault", "bad", "the root key is missing", fix="restore it from where you keep it")
    try:
        keyring = Keyring.open(open_seal(settings, passphrases).keys, rows)
    except (StartFailure, CannotOpen) as error:
        return Finding("vault", "bad", str(getattr(error, "message", error)), fix="restore the root key")
    barrier, opened, closed = Barrier(keyring, SystemDice().token), 0, list[str]()
    for column in COLUMNS:
        for row in connection.execute(TABLES[column.kind].select()):
            thing = from_row(column.kind, row)
            try:
                barrier.open(getattr(thing, column.field), column.cell(thing))
                opened += 1
            except CannotOpen as error:
                closed.append(f"{column.kind.__name__.lower()} {column.cell(thing).id}: {error}")
    if closed:
        fix = "give those again: clavero credential add"
        return Finding("vault", "bad", f"{len(closed)} of {opened + len(closed)} do not open", tuple(closed), fix)
    return Finding("vault", "ok", f"{len(rows)} keys and {opened} secrets open")


def _journals(settings: Settings, connection: Connection) -> Finding:
    """Whether the journals go on where the database has read up to."""
    journals = Segments(settings.data / "journal")
    boots = connection.exec_driver_sql("SELECT boot_id, seg, off, state, home FROM boot").all()
    known = {boot for boot, *_ in boots}
    lines = [f"{boot}: unknown to the database" for boot in journals.boots() if boot not in known]
    frames = 0
    for boot, seg, off, state, home in boots:
        if state == "closed" or home != journals.place.home:
            continue
        waiting, damage = _unread(journals, BootId(boot), Position(seg, off))
        frames += waiting
        lines += [f"{boot}: {damage}"] if damage else []
    text = f"{frames:,} frames wait to be posted"
    if lines:
        return Finding("journal", "warn", text, tuple(lines), "clavero up closes what is dead and reads what is left")
    return Finding("journal", "ok", text)


def _unread(journals: Segments, boot: BootId, at: Position) -> tuple[int, str]:
    frames = 0
    while True:
        stretch = journals.read(boot, at, 1000)
        frames += len(stretch.frames)
        if stretch.damage or not stretch.frames:
            return frames, stretch.damage
        at = stretch.to


def _epoch(settings: Settings) -> Finding:
    epochs = epochs_of(settings)
    with contextlib.closing(epochs):
        look = epochs.look()
    if standing(look) is Standing.BACK:
        text = "the database went back in time: it was copied from somewhere, or its server failed over"
        return Finding("epoch", "warn", text, fix="clavero up reads the journals again before it grants money")
    return Finding("epoch", "ok", f"epoch {look.found.epoch}")
