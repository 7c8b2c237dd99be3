"""Who a key works for: organisation, teams, projects, environments, services."""

from enum import StrEnum

from msgspec import Struct

from clavero.domain.freezes import Freeze

ORGANISATION = "default"  # one organisation until the room for several is built; it is also the vault's tenant


class Team(Struct, frozen=True, kw_only=True):
    """A team that pays for services."""

    name: str
    created_ns: int = 0


class Project(Struct, frozen=True, kw_only=True):
    """A piece of work with services in it."""

    name: str
    team: str
    created_ns: int = 0


class Tier(StrEnum):
    """How much harm a key of an environment can do; `domain/tiers` says what each demands."""

    LOW = "low"
    STANDARD = "standard"
    CRITICAL = "critical"


class Environment(Struct, frozen=True, kw_only=True):
    """Where software runs: prod, staging, dev. 2 to 8 of `[a-z0-9]`, since it stands in the key."""

    name: str
    created_ns: int = 0
    tier: Tier = Tier.STANDARD
    freezes: tuple[Freeze, ...] = ()


class Service(Struct, frozen=True, kw_only=True):
    """A program that holds keys. `on_call` is who is reached at three in the morning, in their own words."""

    name: str
    project: str
    team: str
    created_ns: int = 0
    repository: str = ""
    on_call: str = ""
