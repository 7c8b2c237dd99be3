"""The file that `clavero db backup` writes: a ZIP with the rows of every table, and a manifest that says what is in it.

    manifest.json          what it is, whose it is, and for each table: columns, rows, SHA-256
    tables/NAME.msgpack    blocks `length u32 LE | msgpack array of rows`; a row is an array in the order of the columns

The rows are the same whatever database they came from, so they go back into either. The root key is not in it, only its
name. A file that was cut has no manifest, since that is written last; it appears under its name only when it is whole
and on the disk.
"""

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.startup import StartFailure

FORMAT = "clavero-backup/1"
SUFFIX = ".clavero"
_MANIFEST = "manifest.json"
_LENGTH = struct.Struct("<I")
_BLOCK_MAX = 256 * 1024 * 1024
_LEVEL = 3  # of deflate: a third more would take twice as long
_rows = msgspec.msgpack.Encoder()
_read = msgspec.msgpack.Decoder(list[tuple[Any, ...]])

# What the readers of the standard library raise for a file that was cut or altered, RuntimeError for "it is encrypted".
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, KeyError, EOFError, ValueError, RuntimeError)

Row = tuple[Any, ...]
Told = Callable[[int], None]


class TableFacts(Struct, frozen=True):
    """One table of a backup; the digest is of its bytes before they are compressed."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup is. Times are UTC nanoseconds; `boots` is how far the journal of each open boot was read."""

    format: str = FORMAT
    made_ns: int
    clavero: str
    schema: int
    database: str  # sqlite or postgresql: where it was taken from
    instance: str
    epoch: int
    root_keys: tuple[str, ...]  # names of the root keys that its vault was sealed under
    audit_seq: int
    audit_hash: str
    boots: Mapping[str, tuple[int, int]]
    tables: Mapping[str, TableFacts]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())


class ArchiveWriter:
    """A backup in the making, beside the place where it will stand; leaving by an exception removes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._draft = file.with_name(f".{file.name}.part")
        self.tables: dict[str, TableFacts] = {}

    def __enter__(self) -> "ArchiveWriter":
        descriptor = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        self._opened = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._opened, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._opened.closed:
            self._zip.fp = None  # what was not finished is not finished now
            self._opened.close()
            self._draft.unlink(missing_ok=True)

    def table(self, name: str, columns: tuple[str, ...], blocks: Iterable[list[Row]], told: Told) -> None:
        """Write a table block by block; `told` hears how many rows each has."""
        digest, rows = hashlib.sha256(), 0
        with self._zip.open(zipfile.ZipInfo(f"tables/{name}.msgpack"), "w", force_zip64=True) as member:
            for block in blocks:
                payload = _rows.encode(block)
                data = _LENGTH.pack(len(payload)) + payload
                digest.update(data)
                member.write(data)
                rows += len(block)
                told(len(block))
        self.tables[name] = TableFacts(columns, rows, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, have it all on the disk, and give the file its name."""
        self._zip.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        self._zip.close()
        self._opened.flush()
        os.fsync(self._opened.fileno())
        self._opened.close()
        self._draft.replace(self._file)
        _sync_folder(self._file.parent)


class Archive:
    """A backup that is read; `StartFailure` backup_missing or backup_damaged where it is not there or not whole."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._zip = zipfile.ZipFile(file)
            self.manifest = msgspec.json.decode(self._zip.read(_MANIFEST), type=Manifest)
        except FileNotFoundError:
            raise StartFailure(
                "backup_missing", f"there is no backup {file}", "clavero db backups lists them"
            ) from None
        except OSError as error:
            raise self._damaged((error.strerror or "cannot be read").lower()) from None
        except (*_BROKEN, msgspec.DecodeError):
            raise self._damaged(self._why()) from None

    def _why(self) -> str:
        try:
            told = json.loads(self._zip.read(_MANIFEST))["format"]
        except Exception:  # noqa: BLE001 - whatever it is, it is no backup of ours
            return "it is no backup, or was cut"
        return (
            f"its format is {str(told)[:40]}, this clavero reads {FORMAT}" if told != FORMAT else "its manifest is odd"
        )

    def blocks(self, table: str) -> Iterator[list[Row]]:
        """The rows of a table, block by block, and at the end the proof that they are those that were written."""
        facts, digest, rows = self.manifest.tables[table], hashlib.sha256(), 0
        try:
            with self._zip.open(f"tables/{table}.msgpack") as member:
                while head := member.read(_LENGTH.size):
                    (size,) = _LENGTH.unpack(head)
                    payload = member.read(min(size, _BLOCK_MAX))
                    digest.update(head + payload)
                    block = _read.decode(payload)
                    rows += len(block)
                    yield block
        except (*_BROKEN, OSError):
            raise self._damaged(f"table {table} cannot be read") from None
        if (rows, digest.hexdigest()) != (facts.rows, facts.sha256):
            raise self._damaged(f"table {table} is not what was written")

    def close(self) -> None:
        """Let the file go."""
        self._zip.close()

    def _damaged(self, why: str) -> StartFailure:
        return StartFailure("backup_damaged", f"{self.file}: {why}", "take another backup: clavero db backups")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
