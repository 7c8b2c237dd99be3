"""How far a collector was told, kept in a file that is replaced whole."""

import contextlib
import os
from pathlib import Path

import msgspec

from clavero.domain.witnesses import Told

_DECODER = msgspec.json.Decoder(Told)


class FileMark:
    """The last row that was told; a file that is missing or torn says the beginning: rather twice than never."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Told:
        """What was told last; row 0 for nothing."""
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            return _DECODER.decode(self._file.read_bytes())
        return Told()

    def write(self, told: Told) -> None:
        """Replace it; `OSError` where that fails."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        other = self._file.with_suffix(".new")
        descriptor = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(told))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        other.replace(self._file)
