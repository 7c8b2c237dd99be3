"""Who unlocks the root key. A file that only its owner can read is the first seal; others come beside it.

The only module of the vault that touches the machine.
"""

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from pathlib import Path
from typing import Protocol

from clavero.domain.startup import StartFailure
from clavero.vault.box import KEY, Random
from clavero.vault.keyring import RootKey

_PREFIX = b"clavero-root-key-v1:"
_LONGEST = 256


class Seal(Protocol):
    """Something that can hand out the root key."""

    def exists(self) -> bool:
        """Whether a root key was ever made here."""
        ...

    def create(self, random: Random) -> RootKey:
        """Make the root key of a new vault; StartFailure where there is one already."""
        ...

    def unlock(self) -> RootKey:
        """The root key; StartFailure with the remedy where it cannot be had."""
        ...


class FileSeal:
    """A file of mode 0600, `DATA/seal/root.key`: as safe as the account that runs clavero."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def exists(self) -> bool:
        """Whether the file is there, usable or not."""
        return os.path.lexists(self.file)

    def create(self, random: Random) -> RootKey:
        """Write a new root key so that it is there whole or not at all, and survives a power cut."""
        root = RootKey(random(KEY))
        draft = self.file.with_name(f".{self.file.name}.{random(8).hex()}")
        if self.exists():
            raise StartFailure("seal_exists", f"{self.file} exists already", "start clavero again")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _write_new(draft, _PREFIX + urlsafe_b64encode(root.value) + b"\n")
                os.link(draft, self.file)  # fails where another process was faster, unlike a rename
            finally:
                draft.unlink(missing_ok=True)
            _sync_directory(self.file.parent)
        except OSError as error:
            raise _unusable(self.file, error) from None
        return root

    def unlock(self) -> RootKey:
        """Read the root key; refused where others could have read it or put it there."""
        try:
            descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            fix = "restore it from where you keep it. Nothing was changed."
            raise StartFailure("seal_missing", f"the root key {self.file} is missing", fix) from None
        except OSError as error:
            raise _unusable(self.file, error) from None
        try:
            _check(self.file, os.fstat(descriptor))
            return _parse(self.file, os.read(descriptor, _LONGEST))
        except OSError as error:
            raise _unusable(self.file, error) from None
        finally:
            os.close(descriptor)


def root_key(seal: Seal, random: Random, *, fresh: bool) -> RootKey:
    """The root key of a vault; made now where the data directory is fresh and there is none.

    An old vault never gets a new root key by itself: it could open nothing, and would hide that the old one is lost.
    """
    return seal.create(random) if fresh and not seal.exists() else seal.unlock()


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


def _parse(file: Path, content: bytes) -> RootKey:
    prefix, written = content[: len(_PREFIX)], content[len(_PREFIX) :]
    try:
        value = urlsafe_b64decode(written.strip()) if prefix == _PREFIX else b""
    except NotBase64:
        value = b""
    if len(value) != KEY:
        fix = "restore it from where you keep it. Nothing was changed."
        raise StartFailure("seal_malformed", f"{file} holds no root key", fix)
    return RootKey(value)


def _unusable(file: Path, error: OSError) -> StartFailure:
    why = error.strerror or str(error)
    return StartFailure("seal_unusable", f"cannot use {file}: {why}", "change its owner, or use --data-dir DIR")
