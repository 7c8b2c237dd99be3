"""Taking a backup: one state of the database into one file, and the list of those that are there."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from clavero import __version__
from clavero.adapters.storage.backup_file import SUFFIX, Archive, ArchiveWriter, Manifest
from clavero.adapters.storage.snapshot import Snapshot
from clavero.domain.audit import BEGINNING, AuditRow, first_bad
from clavero.domain.startup import StartFailure

Told = Callable[[str, int], None]  # the table and its rows so far
_LEFTOVER = (".part", ".copy", ".copy-wal", ".copy-shm", ".copy-journal")


class Listed(Struct, frozen=True):
    """One file of a directory of backups; what is wrong with it where it is none."""

    file: Path
    size: int
    manifest: Manifest | None
    damage: str = ""


def write(snapshot: Snapshot, file: Path, now_ns: int, told: Told) -> Manifest:
    """Write a state of the database to a file that appears when it is whole; OSError where there is no room."""
    with ArchiveWriter(file) as archive:
        for name, columns in snapshot.tables().items():
            rows = 0

            def count(more: int, name: str = name) -> None:
                nonlocal rows
                rows += more
                told(name, rows)

            with contextlib.closing(snapshot.blocks(name, columns)) as blocks:
                archive.table(name, columns, blocks, count)
        manifest = _manifest(snapshot, archive, now_ns)
        archive.finish(manifest)
    return manifest


def verify(file: Path, told: Told) -> Manifest:
    """Read a backup from end to end: digests, counts, the audit chain; `StartFailure` where something is wrong."""
    archive = Archive(file)
    with contextlib.closing(archive):
        for name in archive.manifest.tables:
            rows = 0
            for block in archive.blocks(name):
                rows += len(block)
                told(name, rows)
        bad = bad_audit_row(archive)
        if bad:
            message = f"{file}: audit row {bad} is not as it was written"
            raise StartFailure("backup_damaged", message, "take another backup: clavero db backups")
        return archive.manifest


def bad_audit_row(archive: Archive) -> int:
    """The first row of the audit chain that is not as it was written; 0 where all are."""
    columns = archive.manifest.tables["audit"].columns
    rows = sorted(
        (AuditRow(**dict(zip(columns, row, strict=True))) for block in archive.blocks("audit") for row in block),
        key=lambda row: row.seq,
    )
    head = (rows[-1].seq, rows[-1].hash) if rows else (0, BEGINNING)
    manifest = archive.manifest
    return first_bad(rows) or (0 if head == (manifest.audit_seq, manifest.audit_hash) else head[0] or 1)


def listed(folder: Path) -> Iterator[Listed]:
    """The backups of a directory, newest first; what is no backup is told with its reason."""
    for file in sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        size = file.stat().st_size
        try:
            archive = Archive(file)
        except StartFailure as failure:
            yield Listed(file, size, None, failure.message)
        else:
            yield Listed(file, size, archive.manifest)
            archive.close()


def clear_leftovers(folder: Path, name: str) -> None:
    """Remove what a backup to this name left behind when it was killed."""
    for ending in _LEFTOVER:
        (folder / f".{name}{ending}").unlink(missing_ok=True)


def scratch_of(file: Path) -> Path:
    """Where the private copy of a SQLite database stands while it is read."""
    return file.with_name(f".{file.name}.copy")


def _manifest(snapshot: Snapshot, archive: ArchiveWriter, now_ns: int) -> Manifest:
    meta = {str(name): str(value) for name, value in snapshot.ask("SELECT name, value FROM meta")}
    head = snapshot.ask("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    seq, digest = head[0] if head else (0, BEGINNING)
    boots = snapshot.ask("SELECT boot_id, seg, off FROM boot WHERE state <> 'closed' ORDER BY boot_id")
    roots = snapshot.ask("SELECT DISTINCT root FROM sealed_key ORDER BY root")
    return Manifest(
        made_ns=now_ns,
        clavero=__version__,
        schema=int(meta["schema"]),
        database=snapshot.database,
        instance=meta["instance"],
        epoch=int(meta["epoch"]),
        root_keys=tuple(root for (root,) in roots),
        audit_seq=seq,
        audit_hash=digest,
        boots={boot: (seg, off) for boot, seg, off in boots},
        tables=archive.tables,
    )
