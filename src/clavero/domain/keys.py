"""The life of a virtual key: one stable id, any number of versions, a table of legal edges."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from clavero.domain.errors import KeyDisabled, KeyExpired, KeyPending, KeyRevoked, KeyRotated, Problem

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


# The legal edges. Nothing leads away from revoked but forgetting it.
EDGES: dict[KeyState, frozenset[KeyState]] = {
    KeyState.PENDING: frozenset({KeyState.ACTIVE, KeyState.DISABLED, KeyState.REVOKED}),
    KeyState.ACTIVE: frozenset({KeyState.ROTATING, KeyState.DISABLED, KeyState.REVOKED}),
    KeyState.ROTATING: frozenset({KeyState.ACTIVE, KeyState.ROTATING, KeyState.DISABLED, KeyState.REVOKED}),
    KeyState.DISABLED: frozenset({KeyState.ACTIVE, KeyState.ROTATING, KeyState.REVOKED}),
    KeyState.REVOKED: frozenset({KeyState.RETIRED}),
    KeyState.RETIRED: frozenset(),
}
WORKING = frozenset({KeyState.ACTIVE, KeyState.ROTATING})


def standing(key: Key, version: KeyVersion, now_ns: int) -> Problem | None:
    """Why a key whose secret was shown may not be used now; None where it may."""
    if key.state in {KeyState.REVOKED, KeyState.RETIRED}:
        return KeyRevoked(owner=key.owner)
    if key.state is KeyState.DISABLED:
        return KeyDisabled(owner=key.owner)
    if key.state is KeyState.PENDING:
        return KeyPending(owner=key.owner)
    if version.ends_ns and now_ns >= version.ends_ns:
        return KeyRotated(n=version.number, k=key.versions[-1].number, owner=key.owner)
    if key.expires_ns and now_ns >= key.expires_ns:
        return KeyExpired(date=day_of(key.expires_ns), owner=key.owner)
    return None


def state_now(key: Key, now_ns: int) -> KeyState:
    """The state as people see it: rotating ends when the last older version does."""
    if key.state is KeyState.ROTATING and all(0 < version.ends_ns <= now_ns for version in key.versions[:-1]):
        return KeyState.ACTIVE
    return key.state


def day_of(at_ns: int) -> str:
    """The UTC day of an instant, as 2026-11-22."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).date().isoformat()
