"""What `clavero db restore` is composed of: check all, bring back, read the journals again, end what had ended."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import psycopg
from msgspec import Struct

from clavero.adapters.clock import SystemClock
from clavero.adapters.storage import restore
from clavero.adapters.storage.backup_file import Archive, Manifest
from clavero.adapters.storage.engines import postgres_engine, sqlite_engine
from clavero.adapters.storage.ledger_sql import Dialect
from clavero.adapters.storage.rows import BY_TYPE
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.adapters.storage.wording import why
from clavero.bootstrap.control import open_control
from clavero.bootstrap.database import FOLDER, Told, local, stamp_of, unwritten, verify
from clavero.bootstrap.held import Held
from clavero.bootstrap.storage import DATABASE, epochs_of, is_server
from clavero.bootstrap.supervisor import Passphrases, open_seal, seal_file
from clavero.control import restoring
from clavero.control.recovery import Recovered
from clavero.domain.epochs import Mark
from clavero.domain.sealing import SealedKey
from clavero.domain.startup import StartFailure
from clavero.settings import Settings
from clavero.vault.box import CannotOpen
from clavero.vault.keyring import Keyring, RootKeys


class Back(Struct, frozen=True):
    """A database that was brought back: what of, where the old one is, and what had to be read and ended again."""

    manifest: Manifest
    aside: str
    recovered: Recovered
    ended: int
    head_before: str  # number and hash of the newest audit row that is known of the old database; "" for none


def bring_back(settings: Settings, file: Path, told: Told, *, over: bool, passphrases: Passphrases) -> Back:
    """Bring a backup back, under the lock of the data directory; nothing is changed before all is checked."""
    archive = Archive(file)
    with contextlib.closing(archive):
        manifest = verify(file, told)
        if manifest.schema > SCHEMA_VERSION:
            message = f"{file} has database schema {manifest.schema}, this clavero knows {SCHEMA_VERSION}"
            raise StartFailure("database_newer", message, "install a later clavero. Nothing was changed.")
        keys = _roots(settings, archive, passphrases)
        _in_the_way(settings, over=over)
        before = _kept(settings)
        epoch = max(manifest.epoch, before.epoch if before else 0) + 1
        aside = stamp_of(SystemClock().wall_ns())
        place = _load(settings, archive, epoch, aside, told)
    recovered, ended = asyncio.run(_settle(settings, keys, file, manifest, before))
    head = f"{before.audit_seq}:{before.audit_hash}" if before else ""
    return Back(manifest, place, recovered, ended, head)


def _load(settings: Settings, archive: Archive, epoch: int, aside: str, told: Told) -> str:
    """Fill the database; where the old one is now, "" where there was none."""
    if is_server(settings):
        schema = f"clavero_before_{aside}"
        was = restore.rows_on_server(settings.storage.database_url)
        restore.into_server(archive, settings.storage.database_url, epoch, schema, told)
        _migrate(postgres_engine(settings.storage.database_url), Dialect.POSTGRESQL, archive.manifest)
        return f"schema {schema}" if was else ""
    file = settings.data / DATABASE
    old = settings.data / FOLDER / f"before-{aside}" / DATABASE
    was = file.exists()
    try:
        draft = restore.into_file(archive, file, epoch, told)
        _migrate(sqlite_engine(draft), Dialect.SQLITE, archive.manifest)
        restore.put_in_place(draft, file, old)
    except OSError as error:
        restore.remove_file(file.with_name(f".{file.name}.restore"))
        raise unwritten(file, error) from error
    return str(old) if was else ""


def _migrate(engine: Any, dialect: Dialect, manifest: Manifest) -> None:
    if manifest.schema < SCHEMA_VERSION:
        from clavero.adapters.storage.migrate import Migrations

        Migrations().run(engine, dialect, lambda _: None)
    engine.dispose()


async def _settle(
    settings: Settings, keys: RootKeys, file: Path, manifest: Manifest, before: Mark | None
) -> tuple[Recovered, int]:
    """Read the journals again, close their boots, write it all into the audit trail, end again what had ended."""
    plane = await open_control(settings, Held(keys.values), lambda *_: None)
    try:
        recovered = plane.came_back or Recovered(manifest.epoch)
        lost = f"{before.audit_seq}:{before.audit_hash[:12]}" if before else "not known"
        told = (
            f"{file.name} of {restoring.moment(manifest.made_ns)}, audit head {manifest.audit_seq}:"
            f"{manifest.audit_hash[:12]}; head before {lost}; {restoring.account(recovered)}"
        )
        ended = await restoring.settle(plane.desk, local(), told, await asyncio.to_thread(plane.tombs.all))
        await asyncio.to_thread(plane.reading.recovery.is_same)
    finally:
        await plane.close()
    return recovered, ended


def _roots(settings: Settings, archive: Archive, passphrases: Passphrases) -> RootKeys:
    """The root keys of this data directory, proved to open the vault of the backup."""
    seal, needed = seal_file(settings), archive.manifest.root_keys
    if not seal.exists() and needed:
        message = f"the vault of the backup needs root key {', '.join(needed)}"
        fix = f"put it at {seal.path}: it is not in the backup. Nothing was changed."
        raise StartFailure("seal_missing", message, fix)
    keys = open_seal(settings, passphrases).keys
    rows = _sealed(archive)
    try:
        if rows:
            Keyring.open(keys, rows)
    except CannotOpen as error:
        message = f"{archive.file}: the vault in it does not open: {error}"
        raise StartFailure("backup_damaged", message, "take another backup: clavero db backups") from None
    return keys


def _in_the_way(settings: Settings, *, over: bool) -> None:
    """Refuse to restore over something, unless it was said."""
    if is_server(settings):
        try:
            there = restore.rows_on_server(settings.storage.database_url) > 0
        except psycopg.Error as error:
            raise StartFailure("database_unavailable", f"the database {why(error)}", "repeat it") from None
    else:
        there = (settings.data / DATABASE).exists()
    if there and not over:
        raise StartFailure("database_exists", "there is a database already", "--replace moves it aside")


def _kept(settings: Settings) -> Mark | None:
    epochs = epochs_of(settings)
    try:
        return epochs.kept()
    finally:
        epochs.close()


def _sealed(archive: Archive) -> list[SealedKey]:
    """The rows of the vault in a backup."""
    decode = {column.name: column.decode for column in BY_TYPE[SealedKey].columns}
    names = archive.manifest.tables["sealed_key"].columns
    return [
        SealedKey(**{name: decode[name](value) for name, value in zip(names, row, strict=True) if name in decode})
        for block in archive.blocks("sealed_key")
        for row in block
    ]
