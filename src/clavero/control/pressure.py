"""Where money runs short, for whoever is on call: the budgets nearest their limit, and what binds one key or service.

What takes long on a large house is asked less often: an answer is kept for twenty times as long as it took.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from clavero.control.budgets import Standing, standings_of
from clavero.control.commit import Desk
from clavero.control.usage import sums_by
from clavero.domain.budgets import Subject
from clavero.domain.organisation import ORGANISATION
from clavero.domain.usage import Exchange
from clavero.ports.clock import Clock

_HOUR_S = 3600
_NS = 1_000_000_000
_TIMES = 20
T = TypeVar("T")


class Kept(Generic[T]):
    """An answer for everybody who asks within a while: at least `least_ns`, and longer where it took long to get."""

    def __init__(self, clock: Clock, least_ns: int) -> None:
        self._clock = clock
        self._least_ns = least_ns
        self._until_ns = 0
        self._answer: T | None = None

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer; asked for again where it is too old."""
        began = self._clock.monotonic_ns()
        if self._answer is None or began >= self._until_ns:
            self._answer = await ask()
            ended = self._clock.monotonic_ns()
            self._until_ns = ended + max(self._least_ns, _TIMES * (ended - began))
        return self._answer


def used(standing: Standing) -> float:
    """The share of a budget that is gone: spent, or written off."""
    limit = standing.budget.limit_n
    return (standing.spent_n + standing.lost_n) / limit if limit else 1.0


async def tightest(desk: Desk, latest: Mapping[str, Exchange], *, key: bool) -> dict[str, Standing]:
    """The budget with the largest share gone of those that bind each of these keys, or services.

    `latest` are their latest exchanges by name; who is bound by no budget is left out.
    """
    bound = {name: _subjects(exchange, key=key) for name, exchange in latest.items()}
    every = sorted({one for ones in bound.values() for one in ones})
    standing = {one: await standings_of(desk, dict([one])) for one in every}
    found = {
        name: max((it for one in ones for it in standing[one]), key=used, default=None) for name, ones in bound.items()
    }
    return {name: it for name, it in found.items() if it is not None}


async def spent_today(desk: Desk, group: str) -> dict[str, int]:
    """Nano-USD of this UTC day by `key` (public id) or `service`."""
    hour = desk.clock.wall_ns() // _NS // _HOUR_S
    async with desk.store.read() as look:
        rows = await sums_by(look, [group], range(hour // 24 * 24, hour + 1))
    return {row[group]: row["cost_n"] for row in rows}


def _subjects(it: Exchange, *, key: bool) -> list[tuple[Subject, str]]:
    names = [
        (Subject.ORGANISATION, ORGANISATION), (Subject.TEAM, it.team), (Subject.PROJECT, it.project),
        (Subject.ENVIRONMENT, it.environment), (Subject.SERVICE, it.service), (Subject.KEY, it.key_id if key else ""),
    ]  # fmt: skip
    return [(subject, name) for subject, name in names if name]
