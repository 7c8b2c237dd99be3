"""The passphrase seal: root keys under a key that Argon2id derives from what a person knows.

The file says salt and cost beside the box, so that the cost can rise; both are bound into the box. They are read before
anything has proved that the file is ours, so a cost beyond the bounds is refused before it is paid: an altered file can
neither exhaust the memory of the machine nor have the passphrase tried at a bargain.
"""

import unicodedata
from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.vault.box import KEY, CannotOpen, Random, lock, spell, unlock
from clavero.vault.keyring import RootKeys
from clavero.vault.seal import no_root_key

SHORTEST = 12  # characters of a new passphrase
_FORMAT: Final = "clavero/seal/1"
_SALT = 16


class Cost(Struct, frozen=True, forbid_unknown_fields=True):
    """What one try costs: RFC 9106 section 4 recommends the default where memory is dear."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4


LEAST = Cost(19 * 1024, 2, 1)
MOST = Cost(512 * 1024, 12, 16)


class Sealed(Struct, frozen=True, tag="passphrase", tag_field="seal", forbid_unknown_fields=True):
    """The file. Nothing in it is secret."""

    format: Literal["clavero/seal/1"]
    argon2id: Cost
    salt: bytes
    keys: bytes


class PassphraseSeal:
    """A seal that asks for the passphrase once, and remembers the key derived from it."""

    kind = "passphrase"

    def __init__(self, ask: Callable[[], Secret], random: Random, cost: Cost = Cost()) -> None:  # noqa: B008 - frozen
        self._ask = ask
        self._random = random
        self._cost = cost
        self._salt = b""
        self._key = b""

    def __repr__(self) -> str:
        return "PassphraseSeal()"

    def wrap(self, keys: RootKeys) -> bytes:
        """The root keys in a box of the derived key; a salt of its own where none was read."""
        if not self._key:
            self._salt = self._random(_SALT)
            self._key = derive(self._ask(), self._salt, self._cost)
        box = lock(self._key, b"".join(keys.values), _place(self._salt, self._cost), self._random)
        return msgspec.json.format(msgspec.json.encode(Sealed(_FORMAT, self._cost, self._salt, box))) + b"\n"

    def unwrap(self, content: bytes, file: str) -> RootKeys:
        """The root keys of a file; StartFailure `wrong_passphrase`, or `seal_malformed` before anything is asked."""
        try:
            sealed = msgspec.json.decode(content, type=Sealed)
        except msgspec.MsgspecError:
            raise no_root_key(file) from None
        if len(sealed.salt) != _SALT or not _within(sealed.argon2id):
            raise no_root_key(file)
        key = derive(self._ask(), sealed.salt, sealed.argon2id)
        try:
            values = unlock(key, sealed.keys, _place(sealed.salt, sealed.argon2id))
        except CannotOpen:
            fix = "give the one it was sealed with; no other way opens it. Nothing was changed."
            raise StartFailure("wrong_passphrase", f"the passphrase does not open {file}", fix) from None
        self._key, self._salt, self._cost = key, sealed.salt, sealed.argon2id
        return RootKeys.of(values[at : at + KEY] for at in range(0, len(values), KEY))


def derive(passphrase: Secret, salt: bytes, cost: Cost) -> bytes:
    """The key of a passphrase: 32 bytes, the same for the same letters however a keyboard composes them (NFC)."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # loaded where a passphrase is asked for, only

    function = Argon2id(salt=salt, length=KEY, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return function.derive(unicodedata.normalize("NFC", passphrase.reveal()).encode())


def check_strength(passphrase: Secret) -> None:
    """StartFailure where a new passphrase is too short to protect anything."""
    text = passphrase.reveal()
    if len(text) < SHORTEST or len(set(text)) < SHORTEST // 2:
        fix = "take several words that nobody would put together"
        raise StartFailure("passphrase_weak", f"a passphrase has at least {SHORTEST} characters, not all alike", fix)


def _within(cost: Cost) -> bool:
    return (
        LEAST.memory_kib <= cost.memory_kib <= MOST.memory_kib
        and LEAST.passes <= cost.passes <= MOST.passes
        and LEAST.lanes <= cost.lanes <= MOST.lanes
    )


def _place(salt: bytes, cost: Cost) -> bytes:
    return spell(_FORMAT, PassphraseSeal.kind, salt.hex(), cost.memory_kib, cost.passes, cost.lanes)
