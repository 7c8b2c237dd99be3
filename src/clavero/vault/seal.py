"""Who unlocks the root keys: how they are wrapped, and the one file that holds the wrapping.

A seal is a way of wrapping: in plain (the file's mode is all that protects it), under a passphrase (`passphrase`), and
one day by a key service, which would wrap and unwrap by a call. All of them write one file, which says what it is, so
that moving from one to another, and adding or destroying a root key, is one rename: whole or not at all.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Protocol

from clavero.domain.startup import StartFailure
from clavero.vault.box import KEY, Random
from clavero.vault.keyring import RootKeys
from clavero.vault.seal_file import SealFile

_PREFIX = b"clavero-root-key-v1:"
_MOST = 4  # root keys in one seal; there are two at most


class Seal(Protocol):
    """A way of wrapping root keys."""

    @property
    def kind(self) -> str:
        """What it is called: `file`, `passphrase`."""
        ...

    def wrap(self, keys: RootKeys) -> bytes:
        """What the file holds."""
        ...

    def unwrap(self, content: bytes, file: str) -> RootKeys:
        """The root keys of a file, named for messages; StartFailure with the remedy where they cannot be had."""
        ...


class PlainSeal:
    """One line for each root key, oldest first: as safe as the account that runs clavero."""

    kind = "file"

    def wrap(self, keys: RootKeys) -> bytes:
        """The lines."""
        return b"".join(_PREFIX + urlsafe_b64encode(value) + b"\n" for value in keys.values)

    def unwrap(self, content: bytes, file: str) -> RootKeys:
        """The root keys of the lines."""
        lines = content.strip().split(b"\n")
        try:
            values = [urlsafe_b64decode(line.removeprefix(_PREFIX).strip()) for line in lines]
            whole = all(line.startswith(_PREFIX) for line in lines) and {len(value) for value in values} == {KEY}
            if whole and len(lines) <= _MOST:
                return RootKeys.of(values)
        except (NotBase64, ValueError):
            pass
        raise no_root_key(file)


class OpenSeal:
    """A seal that was unlocked: its root keys, and the way to write it anew."""

    def __init__(self, file: SealFile, seal: Seal, keys: RootKeys, random: Random) -> None:
        self.file = file
        self.keys = keys
        self._seal = seal
        self._random = random

    def __repr__(self) -> str:
        return f"OpenSeal({self.kind}, {self.keys})"

    @property
    def kind(self) -> str:
        """How the root keys are wrapped."""
        return self._seal.kind

    def add(self) -> RootKeys:
        """A new root key behind those that are there; the one that was added before, where there are two already."""
        if len(self.keys.keys) == 1:
            self._keep(self.keys.with_another(self._random))
        return self.keys

    def keep_only(self, name: str) -> RootKeys:
        """Destroy every root key but this one; nothing is done for one that is not there."""
        kept = self.keys.named(name)
        if kept is not None and len(self.keys.keys) > 1:
            self._keep(RootKeys(kept))
        return self.keys

    def move(self, seal: Seal) -> None:
        """Wrap the same root keys in another way."""
        self._seal, before = seal, self._seal
        try:
            self._keep(self.keys)
        except StartFailure:
            self._seal = before
            raise

    def _keep(self, keys: RootKeys) -> None:
        self.file.replace(self._seal.wrap(keys), self._random)
        self.keys = keys


def create(file: SealFile, seal: Seal, random: Random) -> OpenSeal:
    """Make the root key of a new vault; StartFailure where there is one already."""
    keys = RootKeys.of((random(KEY),))
    file.create(seal.wrap(keys), random)
    return OpenSeal(file, seal, keys, random)


def unlock(file: SealFile, seal: Seal, content: bytes, random: Random) -> OpenSeal:
    """The root keys that a file holds; StartFailure with the remedy where they cannot be had."""
    return OpenSeal(file, seal, seal.unwrap(content, str(file.path)), random)


def is_plain(content: bytes) -> bool:
    """Whether a file holds root keys that nothing but its mode protects."""
    return content.startswith(_PREFIX)


def no_root_key(file: str) -> StartFailure:
    """Why a file is no seal."""
    fix = "restore it from where you keep it. Nothing was changed."
    return StartFailure("seal_malformed", f"{file} holds no root key", fix)
