"""The keyring: what the root key wraps. One key for each tenant, and the peppers under which key digests are made.

Re-keying the root wraps these again and touches no secret and no digest.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable

from msgspec import Struct

from clavero.domain.organisation import ORGANISATION
from clavero.domain.startup import StartFailure
from clavero.vault.barrier import Barrier, CannotOpen, box, unbox
from clavero.vault.fingerprint import Fingerprints

TENANT = "tenant"
PEPPER = "pepper"
_KEY_BYTES = 32


class SealedKey(Struct, frozen=True, kw_only=True):
    """One key under the root key, as stored. `root` says under which."""

    id: str
    purpose: str
    name: str  # of the tenant; "" for a pepper
    version: int
    root: str
    sealed: bytes
    created_ns: int = 0


class Keyring:
    """The unlocked keys of this process."""

    def __init__(self, root_id: str, tenants: dict[str, bytes], peppers: dict[int, bytes]) -> None:
        self.root_id = root_id
        self.barrier = Barrier(root_id, tenants)
        self.fingerprints = Fingerprints(peppers)


def root_id(root_key: bytes) -> str:
    """The public name of a root key, as rk_7f3a19c2."""
    return "rk_" + hmac.digest(root_key, b"clavero root id", hashlib.sha256)[:4].hex()


def create(root_key: bytes, random: Callable[[int], bytes], now_ns: int) -> list[SealedKey]:
    """The keys of a new installation: one tenant's, one pepper."""
    return [
        _seal(root_key, TENANT, ORGANISATION, random(_KEY_BYTES), now_ns),
        _seal(root_key, PEPPER, "", random(_KEY_BYTES), now_ns),
    ]


def unlock(root_key: bytes, stored: Iterable[SealedKey]) -> Keyring:
    """Unwrap what is stored; `StartFailure` naming both root keys where this is the wrong one."""
    mine = root_id(root_key)
    tenants: dict[str, bytes] = {}
    peppers: dict[int, bytes] = {}
    for key in stored:
        if key.root != mine:
            raise _wrong(key.root, mine)
        try:
            opened = unbox(_wrapping(root_key), key.sealed, _bound(key.purpose, key.name, key.version, mine))
        except CannotOpen:
            raise _wrong(key.root, mine) from None
        if key.purpose == PEPPER:
            peppers[key.version] = opened
        else:
            tenants[key.name] = opened
    return Keyring(mine, tenants, peppers)


def _seal(root_key: bytes, purpose: str, name: str, key: bytes, now_ns: int) -> SealedKey:
    mine = root_id(root_key)
    sealed = box(_wrapping(root_key), key, _bound(purpose, name, 1, mine))
    identity = f"{purpose}/{name}:1" if name else f"{purpose}:1"
    return SealedKey(id=identity, purpose=purpose, name=name, version=1, root=mine, sealed=sealed, created_ns=now_ns)


def _wrapping(root_key: bytes) -> bytes:
    """The root key itself wraps nothing: its name is derived from it too."""
    return hmac.digest(root_key, b"clavero wrapping key", hashlib.sha256)


def _bound(purpose: str, name: str, version: int, root: str) -> bytes:
    return "\0".join(("clavero keyring 1", purpose, name, str(version), root)).encode()


def _wrong(needed: str, mine: str) -> StartFailure:
    message = f"the vault needs root key {needed}; this is {mine}"
    return StartFailure("wrong_root_key", message, f"restore {needed}. Nothing was changed.")
