"""What a key must have where it runs: the risk tier of its environment, and what each tier demands.

A demand is a function from a case to its breach. The same functions refuse a key that would be made against them, and
list the keys that are older than their demand. What is new to be demanded, such as a list of addresses, is one more
function in `DEMANDS`.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from clavero.domain.keys import Key, newest
from clavero.domain.organisation import Service, Tier

DAY_NS = 86_400 * 1_000_000_000


class Terms(Struct, frozen=True, kw_only=True):
    """What a tier asks: days that a secret works at most (0: any), whether a key must end by then, a contact."""

    days: int = 0
    must_end: bool = False
    on_call: bool = False


TERMS: dict[Tier, Terms] = {
    Tier.LOW: Terms(),
    Tier.STANDARD: Terms(days=60),
    Tier.CRITICAL: Terms(days=30, must_end=True, on_call=True),
}


class Case(Struct, frozen=True, kw_only=True):
    """A key, the tier it runs under, its service (None: not made yet), and now in UTC nanoseconds."""

    key: Key
    tier: Tier
    service: Service | None
    now_ns: int

    @property
    def terms(self) -> Terms:
        """What the tier asks."""
        return TERMS[self.tier]


class Demand(StrEnum):
    """What is demanded."""

    ROTATION = "rotation"
    END = "end"
    ON_CALL = "on_call"


class Breach(Struct, frozen=True, kw_only=True):
    """A demand that a key does not meet: the fact, and the command that mends it."""

    demand: Demand
    fact: str
    fix: str


def breaches(case: Case) -> list[Breach]:
    """Every demand of the tier that a key does not meet, in the order of the table."""
    return [breach for demand in DEMANDS if (breach := demand(case)) is not None]


def ends_in_time(case: Case) -> Breach | None:
    """A key that must end does so within the days of its tier."""
    days, ends_ns = case.terms.days, case.key.expires_ns
    if not case.terms.must_end or 0 < ends_ns <= case.now_ns + days * DAY_NS:
        return None
    fact = f"a key there ends within {days} days, and is renewed by rotating it"
    return Breach(demand=Demand.END, fact=fact, fix=f"clavero key update {case.key.name} --expires {days}d")


def rotated_in_time(case: Case) -> Breach | None:
    """The newest secret is no older than the days of its tier."""
    days, age = case.terms.days, (case.now_ns - newest(case.key).created_ns) // DAY_NS
    if not days or age < days:
        return None
    fact = f"a secret there works for {days} days, and this one is {age} days old"
    return Breach(demand=Demand.ROTATION, fact=fact, fix=f"clavero key rotate {case.key.name}")


def somebody_on_call(case: Case) -> Breach | None:
    """The service of a key says who is on call."""
    if not case.terms.on_call or (case.service is not None and case.service.on_call):
        return None
    name = case.key.service
    fix = f"clavero service update {name} --on-call WHO"
    if case.service is None:
        fix = f"clavero service add {name} --project PROJECT --on-call WHO"
    return Breach(demand=Demand.ON_CALL, fact=f"service {name} names nobody on call", fix=fix)


DEMANDS: tuple[Callable[[Case], Breach | None], ...] = (rotated_in_time, ends_in_time, somebody_on_call)
