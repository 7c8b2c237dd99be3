"""The life of a virtual key: one stable id, any number of versions, a table of legal edges."""

from enum import StrEnum
from typing import NewType

from msgspec import Struct

Kid = NewType("Kid", str)


class KeyState(StrEnum):
    """Where a key stands. Revoked is for ever."""

    PENDING = "pending"
    ACTIVE = "active"
    ROTATING = "rotating"
    DISABLED = "disabled"
    REVOKED = "revoked"
    RETIRED = "retired"


class KeyVersion(Struct, frozen=True):
    """One secret of a key: what is stored of it. `ends_ns` is when it stops working; 0 while it is the newest."""

    number: int
    digest: bytes  # HMAC-SHA256(pepper, token)
    pepper: int  # which pepper
    last_four: str
    created_ns: int
    ends_ns: int = 0


class Key(Struct, frozen=True, kw_only=True):
    """A virtual key. Empty `models` or `endpoints` means every one; times are UTC nanoseconds, 0 is never."""

    id: Kid
    name: str
    owner: str
    service: str
    environment: str
    purpose: str = ""
    state: KeyState = KeyState.ACTIVE
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    expires_ns: int = 0
    default_output_tokens: int = 4096
    versions: tuple[KeyVersion, ...] = ()
    created_ns: int = 0
