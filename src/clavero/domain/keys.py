"""The life of a virtual key: one stable id, any number of versions, a table of legal edges.

What a state means for a caller is `standing`'s to say; it is told only to who holds a secret of the key. `pending` and
`rotating` end by the clock: `state_at` knows, so that no job has to run for a key to begin or an overlap to be over.
"""

from collections.abc import Callable
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


# The legal edges; docs draw their diagram from here. Nothing leads out of revoked but to retired, and nothing on.
EDGES: dict[KeyState, frozenset[KeyState]] = {
    KeyState.PENDING: frozenset({KeyState.ACTIVE, KeyState.DISABLED, KeyState.REVOKED}),
    KeyState.ACTIVE: frozenset({KeyState.ROTATING, KeyState.DISABLED, KeyState.REVOKED}),
    KeyState.ROTATING: frozenset({KeyState.ROTATING, KeyState.ACTIVE, KeyState.DISABLED, KeyState.REVOKED}),
    KeyState.DISABLED: frozenset({KeyState.PENDING, KeyState.ACTIVE, KeyState.ROTATING, KeyState.REVOKED}),
    KeyState.REVOKED: frozenset({KeyState.RETIRED}),
    KeyState.RETIRED: frozenset(),
}

OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})  # states that nothing works in again


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
    starts_ns: int = 0  # a pending key works from then on
    expires_ns: int = 0
    default_output_tokens: int = 4096
    versions: tuple[KeyVersion, ...] = ()
    reason: str = ""  # why it was disabled or revoked
    created_ns: int = 0


def may_become(now: KeyState, then: KeyState) -> bool:
    """Whether an edge leads from one state to the other."""
    return then in EDGES[now]


def state_at(key: Key, now_ns: int) -> KeyState:
    """The state as of now: what was pending has begun, an overlap that is over leaves the key active."""
    if key.state is KeyState.PENDING and now_ns >= key.starts_ns:
        return working_state(key, now_ns)
    return working_state(key, now_ns) if key.state is KeyState.ROTATING else key.state


def working_state(key: Key, now_ns: int) -> KeyState:
    """What a key that is neither disabled nor over is: pending, rotating while an old version still works, active."""
    if now_ns < key.starts_ns:
        return KeyState.PENDING
    return KeyState.ROTATING if len(working(key, now_ns)) > 1 else KeyState.ACTIVE


def newest(key: Key) -> KeyVersion:
    """The version that was made last."""
    return key.versions[-1]


def working(key: Key, now_ns: int) -> tuple[KeyVersion, ...]:
    """The versions whose time has not ended, whatever the state of the key."""
    return tuple(version for version in key.versions if not version.ends_ns or now_ns < version.ends_ns)


def version_for(key: Key, matches: Callable[[KeyVersion], bool]) -> KeyVersion | None:
    """The version whose digest matches, newest first; ended ones too, since their holder may hear that they ended."""
    return next((version for version in reversed(key.versions) if matches(version)), None)


def standing(key: Key, version: KeyVersion, now_ns: int) -> Problem | None:
    """Why a caller with this version is refused; None where it is welcome."""
    if key.state in OVER:
        return KeyRevoked(owner=key.owner)
    if key.state is KeyState.DISABLED:
        return KeyDisabled(owner=key.owner)
    if version.ends_ns and now_ns >= version.ends_ns:
        return KeyRotated(n=version.number, k=newest(key).number, owner=key.owner)
    if now_ns < key.starts_ns:
        return KeyPending(date=moment(key.starts_ns), owner=key.owner)
    if key.expires_ns and now_ns >= key.expires_ns:
        return KeyExpired(date=moment(key.expires_ns), owner=key.owner)
    return None


def day(at_ns: int) -> str:
    """The UTC day of an instant: `2026-11-23`."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


def moment(at_ns: int) -> str:
    """A UTC instant as people read it: `2026-11-23 14:05 UTC`."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
