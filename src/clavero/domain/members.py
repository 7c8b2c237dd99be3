"""Who answers for keys: people, and machines that stand for a service."""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from clavero.domain.keys import OVER, Key, KeyState

_WORKING = frozenset({KeyState.PENDING, KeyState.ACTIVE, KeyState.ROTATING})
LONGEST = 120  # characters of a name; the owners of earlier versions were free text of that length
EMAIL_RULE = "an address such as asha@example.com, or empty"
_EMAIL = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,189}")


class MemberKind(StrEnum):
    """What answers."""

    PERSON = "person"
    MACHINE = "machine"


class MemberState(StrEnum):
    """Whether a member still answers."""

    ACTIVE = "active"
    LEFT = "left"


class Member(Struct, frozen=True, kw_only=True):
    """Somebody who can own keys. Times are UTC nanoseconds, 0 is never."""

    name: str
    email: str = ""
    kind: MemberKind = MemberKind.PERSON
    teams: tuple[str, ...] = ()
    state: MemberState = MemberState.ACTIVE
    created_ns: int = 0
    left_ns: int = 0
    due_ns: int = 0  # when the keys of a member who left are to have another owner


class OrphanPolicy(StrEnum):
    """What becomes of a key whose transfer is overdue."""

    FLAG = "flag"
    SUSPEND = "suspend"


class Custody(Struct, frozen=True, kw_only=True):
    """How long keys may wait for another owner, and what becomes of them then: the operator's to set."""

    transfer_days: int = 14
    orphan_keys: OrphanPolicy = OrphanPolicy.FLAG


class Leaver(Struct, frozen=True):
    """Somebody who left: when, and by when their keys are to have another owner."""

    name: str
    left_ns: int
    due_ns: int


def leaver(member: Member) -> Leaver:
    """A member who has left."""
    return Leaver(member.name, member.left_ns, member.due_ns)


def waits(key: Key) -> bool:
    """Whether a key whose owner has left still works, or will: what is disabled or over waits for nobody."""
    return key.state in _WORKING


def transfer_due(key: Key, leavers: Mapping[str, Leaver]) -> int:
    """When a key is to have another owner, UTC nanoseconds; 0 where its owner is here, or the key is over."""
    gone = leavers.get(key.owner)
    return gone.due_ns if gone is not None and key.state not in OVER else 0


def is_email(text: str) -> bool:
    """Whether a text can be an address; whether somebody reads there, no pattern knows."""
    return text.isprintable() and bool(_EMAIL.fullmatch(text))


def same(one: str, other: str) -> bool:
    """Whether two names, or two addresses, would be taken for each other."""
    return one.casefold() == other.casefold()
