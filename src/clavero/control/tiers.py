"""The risk tiers of environments at work: what a new or changed key may not be, and which old ones are against it."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk
from clavero.control.find import Look
from clavero.domain.keys import OVER, Key
from clavero.domain.organisation import Environment, Service, Tier
from clavero.domain.refusals import TierForbids
from clavero.domain.tiers import DAY_NS, Breach, Case, breaches, ends_in_time


class Drift(Struct, frozen=True):
    """A key that exists against a demand of its tier."""

    key: Key
    tier: Tier
    breach: Breach


async def admit(change: Changing, key: Key) -> None:
    """Refuse a new key that its environment's tier forbids."""
    case = await case_of(change, key, change.now_ns)
    for breach in breaches(case):
        fix = f"--expires {case.terms.days}d" if breach == ends_in_time(case) else breach.fix
        raise TierForbids(key.environment, case.tier, breach.fact, fix)


async def check_end(change: Changing, key: Key) -> None:
    """Refuse an end that the tier does not allow."""
    case = await case_of(change, key, change.now_ns)
    breach = ends_in_time(case)
    if breach is not None:
        raise TierForbids(key.environment, case.tier, breach.fact, breach.fix)


async def renewed(change: Changing, key: Key, grace_ns: int) -> Key:
    """A rotated key: where its tier wants an end it has another term; an overlap longer than that is refused.

    A key that has no end yet gets none by the way: that is drift, and its owner's to mend.
    """
    terms = (await case_of(change, key, change.now_ns)).terms
    if not terms.must_end:
        return key
    term_ns = terms.days * DAY_NS
    if grace_ns > term_ns:
        fact = f"a secret there works for {terms.days} days"
        raise TierForbids(key.environment, Tier.CRITICAL, fact, "--grace 24h")
    return replace(key, expires_ns=change.now_ns + term_ns) if key.expires_ns else key


async def drift(desk: Desk, among: Sequence[Key] | None = None) -> list[Drift]:
    """Every key that is not over and does not meet what its tier demands, by name; `among` those that are known."""
    now_ns = desk.clock.wall_ns()
    async with desk.store.read() as look:
        keys = [key for key in (await look.find(Key) if among is None else among) if key.state not in OVER]
        services = {one.name: one for one in await look.find(Service)}
        tiers = {one.name: one.tier for one in await look.find(Environment)}
    cases = [
        Case(key=key, tier=tiers.get(key.environment, Tier.STANDARD), service=services.get(key.service), now_ns=now_ns)
        for key in sorted(keys, key=lambda key: key.name)
    ]
    return [Drift(case.key, case.tier, breach) for case in cases for breach in breaches(case)]


async def case_of(look: Look, key: Key, now_ns: int) -> Case:
    """A key under the tier of its environment; one that is not made yet is standard."""
    environment = await look.get(Environment, key.environment)
    tier = environment.tier if environment is not None else Tier.STANDARD
    return Case(key=key, tier=tier, service=await look.get(Service, key.service), now_ns=now_ns)
