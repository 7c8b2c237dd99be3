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
