"""What `clavero db backup`, `restore` and `check` are composed of; they run beside the processes or instead of them."""

import asyncio
import contextlib
import getpass
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from msgspec import Struct
from msgspec.structs import replace

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage import backup, snapshot
from clavero.adapters.storage.backup_file import SUFFIX, Manifest
from clavero.adapters.storage.engines import postgres_engine, sqlite_engine
from clavero.adapters.storage.epochs import Epochs
from clavero.adapters.storage.schema import check, read_stamp
from clavero.adapters.storage.snapshot import Snapshot
from clavero.adapters.storage.store import SqlStore, postgres_store, sqlite_store
from clavero.adapters.storage.version import SCHEMA_VERSION
from clavero.adapters.storage.wording import opening, why
from clavero.bootstrap.held import Held
from clavero.bootstrap.storage import DATABASE, epochs_of, is_server
from clavero.control import restoring
from clavero.control.commit import Desk, note
from clavero.control.vault import Vault
from clavero.domain.access import Actor
from clavero.domain.startup import StartFailure
from clavero.settings import Settings
from clavero.vault.fingerprint import Fingerprints
from clavero.vault.keyring import Keyring, RootKey

Told = Callable[[str, int], None]  # table or step, rows or per cent so far

COPYING = "copy"  # the step before the tables, on SQLite: per cent
FOLDER = "backup"
_LOCAL_NS = 1_000_000_000


class Made(Struct, frozen=True):
    """A backup that was taken."""

    file: Path
    size: int
    manifest: Manifest


def take(settings: Settings, target: Path | None, told: Told, *, noted: bool = True) -> Made:
    """Take a backup into a file, into a directory under a name of its own, or into DATA/backup."""
    now_ns = SystemClock().wall_ns()
    file = _named(settings, target, now_ns)
    epochs = epochs_of(settings)
    _ours(settings)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        backup.clear_leftovers(file.parent, file.name)
        epochs.pin(file.name)  # before the look: what is read from now on stays readable
        manifest = _written(settings, file, now_ns, told, epochs)
    except OSError as error:
        raise unwritten(file, error) from error
    finally:
        epochs.close()
    reason = f"{file}; {manifest.rows} rows, audit head {manifest.audit_seq}"
    if noted:  # not in a trail whose table a migration is about to change
        asyncio.run(keep_note(settings, "db.backup", file.name, reason))
    return Made(file, file.stat().st_size, manifest)


def _written(settings: Settings, file: Path, now_ns: int, told: Told, epochs: Epochs) -> Manifest:
    try:
        with _snapshot(settings, file, told) as state:
            return backup.write(state, file, now_ns, told)
    except BaseException:
        epochs.unpin(file.name)
        raise


def facts(manifest: Manifest) -> dict[str, object]:
    """What a backup is, for programs."""
    made = datetime.fromtimestamp(manifest.made_ns // 1_000_000_000, UTC)
    return {
        "made": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "version": manifest.clavero, "schema": manifest.schema,
        "database": manifest.database, "rows": manifest.rows, "root_keys": list(manifest.root_keys),
        "audit_seq": manifest.audit_seq, "audit_hash": manifest.audit_hash,
    }  # fmt: skip


def prune(settings: Settings) -> list[Path]:
    """Remove the oldest backups of DATA/backup beyond those that stay; returns them."""
    whole = [one for one in listed(settings, None) if one.manifest is not None and one.file.name.startswith(_PREFIX)]
    epochs = epochs_of(settings)
    gone = [one.file for one in whole[settings.backup.keep :]]
    for file in gone:
        file.unlink(missing_ok=True)
        epochs.unpin(file.name)
    epochs.close()
    return gone


def listed(settings: Settings, folder: Path | None) -> list[backup.Listed]:
    """The backups of a directory, else of DATA/backup, newest first."""
    return list(backup.listed(folder or settings.data / FOLDER))


def newest_ns(settings: Settings) -> int:
    """When the newest whole backup of DATA/backup was made, UTC nanoseconds; 0 where there is none."""
    return max((one.manifest.made_ns for one in listed(settings, None) if one.manifest is not None), default=0)


def verify(file: Path, told: Told) -> Manifest:
    """Read a backup from end to end; `StartFailure` where it is not what was written."""
    return backup.verify(file, told)


def local() -> Actor:
    """Whoever types commands on this machine."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Actor(id=f"local:{name}", kind="system", level="local")


async def keep_note(settings: Settings, action: str, what: str, reason: str) -> None:
    """Write into the audit trail what was done to the database as a whole."""
    store = _store(settings)
    try:
        await note(_closed_desk(store), local(), action, ("database", what), reason)
    finally:
        await store.close()


def _closed_desk(store: SqlStore) -> Desk:
    """A desk whose vault stays closed: what it does needs no secret, and asks nobody for the root key."""
    dice = SystemDice()
    root = RootKey(dice.token(32))  # of no vault
    keyring = Keyring.open(root, Keyring.create(root, dice.token, 0))
    vault = Vault(Held([root.value]), dice.token, "", keyring)
    return Desk(store, SystemClock(), dice, vault, Fingerprints(keyring.peppers()))


@contextlib.contextmanager
def _snapshot(settings: Settings, file: Path, told: Told) -> Iterator[Snapshot]:
    if is_server(settings):
        try:
            with snapshot.of_server(settings.storage.database_url) as state:
                yield state
        except psycopg.Error as error:
            raise StartFailure("database_unavailable", f"the database {why(error)}", "repeat it") from None
        return
    scratch = backup.scratch_of(file)

    def copied(done: int, whole: int) -> None:
        told(COPYING, 100 * done // max(1, whole))

    with snapshot.of_file(settings.data / DATABASE, scratch, copied) as state:
        yield state


def _ours(settings: Settings) -> None:
    """Refuse a database that is not there, not ours, or not of this version."""
    if not is_server(settings) and not (settings.data / DATABASE).exists():
        raise StartFailure("database_missing", "there is no database yet", "clavero up makes one")
    server = is_server(settings)
    engine = postgres_engine(settings.storage.database_url) if server else sqlite_engine(settings.data / DATABASE)
    with opening(), engine.connect() as connection:
        stamp = read_stamp(connection)
    engine.dispose()
    if stamp is None:
        raise StartFailure("database_missing", "there is no database yet", "clavero up makes one")
    check(replace(stamp, version=max(stamp.version, SCHEMA_VERSION)))  # an older one is backed up as it is


_PREFIX = "clavero-"


def _named(settings: Settings, target: Path | None, now_ns: int) -> Path:
    name = f"{_PREFIX}{stamp_of(now_ns)}{SUFFIX}"
    if target is None:
        return settings.data / FOLDER / name
    return target / name if target.is_dir() else target


def stamp_of(now_ns: int) -> str:
    """A moment as it stands in the name of a file."""
    words = restoring.moment(now_ns)
    return words.replace("-", "").replace(":", "").replace(" UTC", "").replace(" ", "_")


def unwritten(file: Path, error: OSError) -> StartFailure:
    """Why a file could not be written."""
    reason = (error.strerror or str(error) or "unknown error").lower()
    return StartFailure("backup_unwritable", f"cannot write {file}: {reason}", "free space, or name another place")


def _store(settings: Settings) -> SqlStore:
    if is_server(settings):
        return postgres_store(settings.storage.database_url)
    return sqlite_store(settings.data / DATABASE)
