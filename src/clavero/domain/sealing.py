"""What is kept of keys that are themselves kept under a key: the rows of the vault, none of them secret."""

from enum import StrEnum

from msgspec import Struct


class Purpose(StrEnum):
    """What a sealed thing is for; it stands in the additional data, so that no cell opens in the place of another."""

    CHECK = "check"  # proves that the root key is the right one
    PEPPER = "pepper"  # what virtual keys are hashed with
    TENANT = "tenant"  # wraps the data keys of one organisation
    CREDENTIAL = "credential"  # a provider's key
    SIGNING = "signing"  # signs checkpoints of the audit log


class SealedKey(Struct, frozen=True, kw_only=True):
    """A key of the vault, sealed under the root key that `root` names (rk_7f3a)."""

    id: str  # purpose/tenant/version
    purpose: Purpose
    tenant: str
    version: int
    root: str
    sealed: bytes
    created_ns: int = 0


class RekeyState(StrEnum):
    """How far a move to new keys is. Whatever dies, it goes on from here."""

    RUNNING = "running"  # some things may still be sealed under the old keys
    SEALED = "sealed"  # nothing is; the old root key is to be destroyed
    DONE = "done"


class Rekey(Struct, frozen=True, kw_only=True):
    """One move of the vault to new keys: a new root key, new keys of tenants, or both."""

    id: str
    root: bool
    tenants: tuple[str, ...]
    state: RekeyState
    home: str  # the data directory whose seal and control plane do it
    before: str  # the name of the root key at the beginning
    after: str = ""  # that of the new one, once things are sealed under it
    cells: int = 0  # sealed values that there were to move
    begun_ns: int = 0
    ended_ns: int = 0


class SealNote(Struct, frozen=True, kw_only=True):
    """How the root keys of one data directory are wrapped, as of its last start."""

    id: str  # names the data directory
    kind: str
    since_ns: int
