"""Who answers for keys: people, and machines that stand for a service."""

import re
from enum import StrEnum

from msgspec import Struct

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


def is_email(text: str) -> bool:
    """Whether a text can be an address; whether somebody reads there, no pattern knows."""
    return text.isprintable() and bool(_EMAIL.fullmatch(text))


def same(one: str, other: str) -> bool:
    """Whether two names, or two addresses, would be taken for each other."""
    return one.casefold() == other.casefold()
