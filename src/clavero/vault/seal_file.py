"""The file of the seal, `DATA/seal/root.key`: mode 0600, written whole or not at all.

It is refused where others could have read it or put it there. The only module of the vault that touches the machine.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from clavero.domain.startup import StartFailure
from clavero.vault.box import Random

_LONGEST = 4096


class SealFile:
    """One file, and the drafts beside it that become it by a rename."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether the file is there, usable or not."""
        return os.path.lexists(self.path)

    def read(self) -> bytes:
        """What it holds; StartFailure where it is away, or not to be trusted."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            fix = "restore it from where you keep it. Nothing was changed."
            raise StartFailure("seal_missing", f"the root key {self.path} is missing", fix) from None
        except OSError as error:
            raise _unusable(self.path, error) from None
        try:
            _check(self.path, os.fstat(descriptor))
            return os.read(descriptor, _LONGEST)
        except OSError as error:
            raise _unusable(self.path, error) from None
        finally:
            os.close(descriptor)

    def create(self, content: bytes, random: Random) -> None:
        """Write it for the first time, so that it survives a power cut; StartFailure where there is one already."""
        if self.exists():
            raise StartFailure("seal_exists", f"{self.path} exists already", "start clavero again")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._draft(content, random)
            try:
                os.link(draft, self.path)  # fails where another process was faster, unlike a rename
            finally:
                draft.unlink(missing_ok=True)
            _sync_directory(self.path.parent)
        except OSError as error:
            raise _unusable(self.path, error) from None

    def replace(self, content: bytes, random: Random) -> None:
        """Put other content in its place by one rename, then write over what was there before.

        Whatever happens on the way, the file is the old one or the new one. A disk may keep what was written over.
        """
        try:
            with _held(self.path) as before:
                draft = self._draft(content, random)
                try:
                    draft.replace(self.path)
                finally:
                    draft.unlink(missing_ok=True)
                _sync_directory(self.path.parent)
                _overwrite(before)
        except OSError as error:
            raise _unusable(self.path, error) from None

    def tidy(self) -> None:
        """Write over and remove the drafts of a process that was killed; called by whoever holds the directory."""
        for draft in self.path.parent.glob(f".{self.path.name}.*"):
            with contextlib.suppress(OSError), _held(draft) as descriptor:
                _overwrite(descriptor)
                draft.unlink()

    def _draft(self, content: bytes, random: Random) -> Path:
        draft = self.path.with_name(f".{self.path.name}.{random(8).hex()}")
        try:
            _write_new(draft, content)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return draft


@contextlib.contextmanager
def _held(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int) -> None:
    """Zeros over the whole file: best effort, since journals, snapshots and flash may keep the old bytes."""
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)


def _write_new(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError("it could not be written whole")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(file: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise StartFailure("seal_unusable", f"{file} is not a plain file", "put the root key there as a file")
    if facts.st_uid != os.geteuid():
        raise StartFailure(
            "seal_owner",
            f"{file} belongs to user {facts.st_uid}",
            f"chown {os.geteuid()} {file}, or run clavero as them",
        )
    if facts.st_mode & 0o077:
        mode = stat.S_IMODE(facts.st_mode)
        raise StartFailure("seal_permissions", f"others can read {file} ({mode:04o})", f"chmod 600 {file}")


def _unusable(file: Path, error: OSError) -> StartFailure:
    why = error.strerror or str(error)
    return StartFailure("seal_unusable", f"cannot use {file}: {why}", "change its owner, or use --data-dir DIR")
