"""No false 429: whoever is refused could not have been served at some instant since it asked (L18).

A hostile scheduler, by seed: three workers on small budgets, every talk cut into its three parts, settlements and
writes between them. The world keeps for every waiter whether there was such an instant. Each protection of the proof
is then taken away: the scheduler has to find a false refusal.
"""

import random  # noqa: TID251 - the scheduler's chance is its seed
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.property.lease_world import ALL, KEY, TEAM, Parts, Worker, World

from clavero.adapters.storage import journal as journal_module
from clavero.domain import lending
from clavero.domain.budgets import RowKey
from clavero.domain.ledger import Ack, Ask, Look, Talk, Terms
from clavero.gateway.leases import Leases, Purse, Waiter
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import MemoryTestLedger

STEPS = 160
PURSES = ((KEY,), (KEY,), (KEY, TEAM), (TEAM, ALL))
Patch = pytest.MonkeyPatch


def history(seed: int, parts: Parts) -> Counter[str]:
    """One history; raises `AssertionError` where somebody was refused who always fitted."""
    chance = random.Random(seed)
    root, clock = Path(tempfile.mkdtemp(prefix="clavero-refusals-")), StoppedClock()
    world = World(root, MemoryTestLedger(clock), clock, parts)
    try:
        for budget in (KEY, TEAM, ALL):
            world.limit(budget.id, chance.choice([12, 20, 40]))
        for _ in range(chance.choice([2, 3, 3])):
            world.start()
        for _ in range(STEPS):
            _step(world, chance)
        asked = world.number
        for _ in range(8):  # fair: everybody writes and talks, nobody settles
            for worker in living(world):
                worker.journal.tick()
                world.talk(worker)
        world.check()
        waiting = sum(len(worker.waiters) for worker in living(world))
        return Counter(asked=asked, refused=world.refused, undecided=waiting)
    finally:
        world.close()
        shutil.rmtree(root)


def _step(world: World, chance: random.Random) -> None:
    if not (alive := living(world)):
        return
    worker, roll = chance.choice(alive), chance.random()
    if roll < 0.22:
        world.ask(worker, chance.choice(PURSES), chance.choice([1, 2, 3, 5, 8, 13]))
    elif roll < 0.36:
        _settle(world, chance)
    elif roll < 0.46:
        worker.journal.tick()
    elif roll < 0.56:
        world.begin(worker)
    elif roll < 0.66:
        world.carry(worker, chance.choice(["well"] * 8 + ["away", "lost"]))
    elif roll < 0.76:
        world.hear(worker)
    elif roll < 0.9:
        world.talk(worker)
    else:
        _happening(world, chance, worker)


def _settle(world: World, chance: random.Random) -> None:
    calls = [name for name, call in world.calls.items() if call.charge is None and call.worker.alive and call.left]
    if calls:
        name = chance.choice(calls)
        world.settle(name, chance.randrange(world.calls[name].amount + 2))


def _happening(world: World, chance: random.Random, worker: Worker) -> None:
    roll = chance.random()
    if roll < 0.3:
        world.read(chance.choice([1, 3, 100]))
    elif roll < 0.55:
        world.clock.advance(chance.choice([0.1, 0.5, 1.1]))
    elif roll < 0.75 and worker.waiters:
        world.leave(worker, chance.choice(sorted(worker.waiters)))
    elif roll < 0.85:
        world.sweep()
    elif roll < 0.95:
        world.limit(chance.choice([KEY, TEAM]).id, chance.choice([5, 20, 40]))
    elif len(world.workers) < 5:
        world.kill(worker)
        world.start()


def living(world: World) -> list[Worker]:
    return [worker for worker in world.workers if worker.alive]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: Patch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT", 8192)


def test_nobody_is_refused_who_always_fitted() -> None:
    found = many(80, Parts())
    assert found["refused"] > 100, found


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_nobody_is_refused_who_always_fitted_all_night() -> None:
    many(4000, Parts())


# --- the protections of the proof, one taken away at a time


def one_answer_is_enough(patch: Patch) -> None:
    """The race that was open: everybody answered, though not at one instant."""

    def proved(counter: lending.Counter, key: RowKey, need: int, number: int | None) -> bool:
        others = [it for boot, it in counter.leases.get(key, {}).items() if boot != counter.boot and it.share]
        return number is not None and all(lease.acked >= number for lease in others)

    patch.setattr(lending, "_proved", proved)


def what_came_back_since_is_not_counted(patch: Patch) -> None:
    """A look counts what nobody had borrowed, and forgets what ended holds have left over."""

    def answered(counter: lending.Counter, key: RowKey, number: int, look: Look) -> float:
        real = _answered(counter, key, number, look)
        return real if real == float("inf") else look.headroom

    _answered = lending._answered
    patch.setattr(lending, "_answered", answered)


def an_older_look_serves_as_well(patch: Patch) -> None:
    """A look from before the want is good enough."""

    def proved(counter: lending.Counter, key: RowKey, need: int, _number: int | None) -> bool:
        return _proved(counter, key, need, 0)

    _proved = lending._proved
    patch.setattr(lending, "_proved", proved)


def a_grant_leaves_the_answer_standing(patch: Patch) -> None:
    """What was said before a grant still counts after it."""

    def lend(counter: lending.Counter, ask: Ask, number: int | None) -> None:
        before = {key: counter.own(key).acked for key in ask.need}
        _lend(counter, ask, number)
        for key, acked in before.items():
            counter.own(key).acked = acked

    _lend = lending._lend
    patch.setattr(lending, "_lend", lend)


class SaysWhatItDoesNotKnow(Leases):
    """It answers for rows of which a grant may be on its way."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        talk = super().talk(tail, now_ns, last=last)
        told = {key: Ack(mine.want, mine.freed - mine.free, mine.slack) for key, mine in self.slices.items()}
        return replace(talk, acked=told)


class CountsWhatIsFree(Leases):
    """It tells of what ended holds left over only when that is free, and keeps still about what waits for its write."""

    def settle(self, purse: Purse, amount: int, charge: int) -> tuple[tuple[str, int, int, int], ...]:
        rows = super().settle(purse, amount, charge)
        for mine in purse.slices:
            mine.slack -= max(0, amount - charge)
        return rows

    def slack(self, purse: Purse, amount: int, charge: int) -> None:
        super().slack(purse, amount, charge)
        for mine in purse.slices:
            mine.slack += max(0, amount - charge)


class TellsNothingOfWhatItKeeps(Leases):
    """Its answer leaves out the slice that it keeps for its own waiter."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        talk = super().talk(tail, now_ns, last=last)
        return replace(talk, acked={key: replace(ack, base=self.slices[key].freed) for key, ack in talk.acked.items()})


class BelievesAtOnce(Leases):
    """A refusal counts although what was missing came in while it was on its way."""

    def hear(self, terms: Terms) -> list[Waiter]:
        told = {name: replace(verdict, short_by=0) for name, verdict in terms.verdicts.items()}
        return super().hear(replace(terms, verdicts=told))


@pytest.mark.parametrize(
    "mutant",
    [
        one_answer_is_enough,
        what_came_back_since_is_not_counted,
        an_older_look_serves_as_well,
        pytest.param(a_grant_leaves_the_answer_standing, marks=pytest.mark.nightly),  # rare: hundreds of histories
        pytest.param(SaysWhatItDoesNotKnow, marks=pytest.mark.nightly),
        CountsWhatIsFree,
        TellsNothingOfWhatItKeeps,
        BelievesAtOnce,
    ],
    ids=lambda mutant: mutant.__name__,
)
def test_each_protection_of_the_proof_is_needed(
    mutant: Callable[[Patch], None] | type[Leases], monkeypatch: Patch
) -> None:
    parts = Parts()
    if isinstance(mutant, type):
        parts = Parts(leases=mutant)
    else:
        mutant(monkeypatch)
    with pytest.raises(AssertionError, match=r"refusal: .* always fitted"):
        many(1500, parts)


def many(histories: int, parts: Parts) -> Counter[str]:
    """As many histories, with progress; what came of all their asks."""
    found = Counter[str]()
    for seed in range(histories):
        found += history(seed, parts)
        if seed % 250 == 249:
            print(f"{seed + 1} histories: {dict(found)}", flush=True)
    return found
