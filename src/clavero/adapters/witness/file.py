"""A file of checkpoints, one JSON object a line, added to and never written over; on the disk before it counts."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from clavero.domain.checkpoints import Checkpoint

_DECODER = msgspec.json.Decoder(Checkpoint)
_MODE = 0o600
_LOOK = 1 << 16


class BadWitness(ValueError):
    """A line that is no checkpoint; says which."""


class FileWitness:
    """Keeps checkpoints in a file of its own, best on another disk or machine than the database."""

    def __init__(self, file: Path) -> None:
        self.name = str(file)
        self._file = file

    def keep(self, checkpoint: Checkpoint) -> None:
        """Add one; `OSError` where it cannot be kept. A line that a crash tore is finished off first."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = msgspec.json.encode(checkpoint) + b"\n"
        descriptor = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                os.ftruncate(descriptor, _last_line(descriptor, size))
            if os.write(descriptor, line) != len(line):
                raise OSError(f"{self._file} took a part of a line")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def all(self) -> Iterator[Checkpoint]:
        """Every checkpoint, oldest first; a torn last line is none. `BadWitness` for a line that is something else."""
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return
        lines = text.split(b"\n")
        for number, line in enumerate(lines[:-1], 1):  # behind the last end of a line is nothing, or a torn line
            yield self._read(line, f"line {number}")

    def newest(self) -> Checkpoint | None:
        """The last one; None where nothing is kept. `BadWitness` where it is something else."""
        with contextlib.suppress(FileNotFoundError), self._file.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            end = _last_line(file.fileno(), size)  # behind it is nothing, or a torn line
            if end:
                begin = _last_line(file.fileno(), end - 1)
                return self._read(os.pread(file.fileno(), end - 1 - begin, begin), "the last line")
        return None

    def _read(self, line: bytes, where: str) -> Checkpoint:
        try:
            return _DECODER.decode(line)
        except msgspec.MsgspecError as error:
            raise BadWitness(f"{self._file}, {where}: {error}") from None


def _last_line(descriptor: int, size: int) -> int:
    """Where the line begins that these bytes end in: behind the last end of a line, found from the back."""
    end = size
    while end:
        begin = max(0, end - _LOOK)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
