"""The file of tombstones in the data directory, `ended.jsonl`: one line for each end, on the disk before it counts."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from clavero.domain.tombstones import Tombstone

FILE = "ended.jsonl"
_lines = msgspec.json.Encoder()
_read = msgspec.json.Decoder(Tombstone)


class Tombs:
    """One file that is only ever appended to; what cannot be written now is kept and written with the next."""

    def __init__(self, file: Path, report: Callable[[OSError], None]) -> None:
        self._file = file
        self._report = report
        self._waiting: list[Tombstone] = []

    def add(self, stones: Sequence[Tombstone]) -> None:
        """Append; a full disk is reported and does not stop a key from being revoked."""
        self._waiting += stones
        if not self._waiting:
            return
        # The line before may be torn: what follows it stands on a line of its own.
        data = b"\n" + _lines.encode_lines(self._waiting)
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                if os.write(descriptor, data) < len(data):
                    raise OSError("it was written short")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._report(error)
        else:
            self._waiting = []

    def all(self) -> list[Tombstone]:
        """Every tombstone, oldest first; a torn line says nothing."""
        try:
            lines = self._file.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(_read.decode(line))
            except msgspec.DecodeError:
                continue
        return found
