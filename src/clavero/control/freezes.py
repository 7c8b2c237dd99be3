"""Freezes at work: while one holds, keys of its environment are revoked, and nothing else is done to them.

Whoever must may override one and say why; the audit row of that change names the freeze.
"""

from msgspec.structs import replace

from clavero.control.commit import Changing, operation
from clavero.control.find import named
from clavero.domain import scopes
from clavero.domain.freezes import MOST, Freeze, holding, not_over
from clavero.domain.keys import moment
from clavero.domain.organisation import Environment
from clavero.domain.refusals import EnvironmentFrozen, InvalidValue, StateForbids

_LONGEST = 200
_LONGEST_NS = 366 * 86_400 * 1_000_000_000


@operation("env.freeze")
async def freeze(change: Changing, *, name: str, from_ns: int, until_ns: int, reason: str) -> Environment:
    """Add a window; one that has begun holds from now on."""
    environment = await named(change, Environment, name, "env")
    from_ns = max(from_ns, change.now_ns)
    if not from_ns < until_ns <= from_ns + _LONGEST_NS:
        raise InvalidValue("until", "a time to come, after the freeze has begun and within 366 days of it", "24h")
    why = scopes.words(reason, "reason", _LONGEST, needed="given: whoever is refused is told")
    windows = not_over((*environment.freezes, Freeze(from_ns=from_ns, until_ns=until_ns, reason=why)), change.now_ns)
    if len(windows) > MOST:
        raise InvalidValue("until", f"of at most {MOST} windows; clavero env thaw {name} --all ends them")
    environment = replace(environment, freezes=windows)
    await change.put(environment)
    return environment


@operation("env.thaw")
async def thaw(change: Changing, *, name: str, every: bool = False, reason: str = "") -> Environment:  # noqa: ARG001 - the reason is the audit's
    """End the windows that hold now; with `every` those to come as well."""
    environment = await named(change, Environment, name, "env")
    left = tuple(one for one in not_over(environment.freezes, change.now_ns) if one.from_ns > change.now_ns)
    ended = holding(environment.freezes, change.now_ns) is not None or (every and bool(left))
    if not ended:
        raise StateForbids("env", name, "not frozen now", "thawed", f"clavero env thaw {name} --all")
    environment = replace(environment, freezes=() if every else left)
    await change.put(environment)
    return environment


async def unfrozen(change: Changing, environment: str, *, override: bool = False, reason: str = "") -> None:
    """Refuse a change of a key while its environment is frozen; one that overrides it says why, and is marked."""
    known = await change.get(Environment, environment)
    window = holding(known.freezes, change.now_ns) if known is not None else None
    if window is None:
        return
    until = moment(window.until_ns)
    if not override:
        raise EnvironmentFrozen(environment, until, window.reason)
    if not reason.strip():
        raise InvalidValue("reason", "given: what overrides a freeze is kept with why")
    change.remark(f"overrides the freeze of {environment} until {until}")
