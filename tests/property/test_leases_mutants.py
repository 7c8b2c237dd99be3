"""Each protection in the worker's memory, taken away, is noticed: one story for the real parts and for a mutant.

The real parts must pass it and the mutant must not, by the check that is named. The names are those of the protocol's
page (section 7); mutants of the ledger's side stand with the ledger.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.property.lease_world import KEY, TEAM, HandJournal, Parts, Worker, World

from clavero.adapters.storage import journal as journal_module
from clavero.domain.ledger import Answer, Talk, Terms, Verdict
from clavero.domain.usage import Exchange
from clavero.gateway import leases as leases_module
from clavero.gateway.leases import Leases, Purse, Refused, Waiter
from clavero.gateway.reserve import Hold
from clavero.testing.clock import StoppedClock
from clavero.testing.ledgers import MemoryTestLedger

Story = Callable[[World], None]


def told(root: Path, story: Story, parts: Parts) -> None:
    """Tell a story to a new world of two workers, look, and let everybody rest."""
    root.mkdir()
    clock = StoppedClock()
    world = World(root, MemoryTestLedger(clock), clock, parts)
    try:
        world.start()
        world.start()
        story(world)
        world.check()
        world.rest()
    finally:
        world.close()


@pytest.fixture
def caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Tell a story to the real parts, then to the mutant: the first must pass and the second must not."""
    monkeypatch.setattr(journal_module, "SEGMENT", 8192)

    def tell(story: Story, parts: Parts, *, by: str) -> None:
        told(tmp_path / "real", story, Parts())
        with pytest.raises(AssertionError, match=by):
            told(tmp_path / "mutant", story, parts)

    return tell


def spend(world: World, worker: Worker, amount: int, charge: int) -> str:
    """One whole exchange on the key's budget."""
    name = world.ask(worker, (KEY,), amount)
    assert name is not None
    world.talk(worker)
    worker.journal.tick()
    world.settle(name, charge)
    worker.journal.tick()
    return name


def idle(world: World, worker: Worker) -> None:
    """Nobody takes from its slices for longer than they stay."""
    for _ in range(2):
        world.clock.advance(0.5)
        world.talk(worker)
    world.clock.advance(0.6)


# --- grants and what goes back


class ReturnsAfterCommit(Leases):
    """Slack leaves memory only when the database has said that it took it back."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        before = {key: mine.free for key, mine in self.slices.items()}
        talk = super().talk(tail, now_ns, last=last)
        for key, mine in self.slices.items():
            mine.free = before[key]
        self._later = {key: mine.free for key, mine in self.slices.items() if key in talk.returned}
        return talk

    def hear(self, terms: Terms) -> list[Waiter]:
        for key, amount in self._later.items():
            self.slices[key].free -= amount
        return super().hear(terms)


def test_return_after_commit(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        first, second = world.workers
        spend(world, first, 10, 0)
        world.read()
        idle(world, first)
        world.begin(first)
        world.carry(first)  # the database has it back, nobody here has heard so
        name = world.ask(second, (KEY,), 40)
        world.talk(second)
        second.journal.tick()
        assert name in world.calls
        world.ask(first, (KEY,), 10)
        first.journal.tick()
        world.check()

    caught(story, Parts(leases=ReturnsAfterCommit), by="cap|memory")


class UnknownIsGranted(Leases):
    """An ask whose answer was lost counts as granted."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        for waiter in list(self.waiting.values()) if self._unsure else ():
            for mine in waiter.purse.slices:
                mine.free += waiter.amount
        return super().talk(tail, now_ns, last=last)


def test_unknown_is_granted(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        world.ask(worker, (KEY,), 10)
        world.talk(worker, "away")
        world.begin(worker)
        world.check()

    caught(story, Parts(leases=UnknownIsGranted), by="memory")


class UnknownIsRefused(Leases):
    """An ask whose answer was lost is forgotten: what was granted is never asked after."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        self._unsure.clear()
        return super().talk(tail, now_ns, last=last)


def test_unknown_is_refused(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        name = world.ask(worker, (KEY,), 10)
        assert name
        world.talk(worker, "lost")
        world.leave(worker, name)

    caught(story, Parts(leases=UnknownIsRefused), by="rest: .* leased")


class BlindReturn(Leases):
    """What goes back is said as a difference, and again when the answer is lost."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        talk = super().talk(tail, now_ns, last=last)
        for key in talk.returned:
            self.slices[key].returned += self.slices[key].returned if key in self._unsure else 0
        return replace(talk, returned={key: self.slices[key].returned for key in talk.returned})


def test_blind_return_retry(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        spend(world, worker, 10, 0)
        world.ask(worker, (KEY,), 3)
        worker.journal.tick()
        world.read()
        idle(world, worker)
        world.talk(worker, "lost")
        world.talk(worker)
        world.check()

    caught(story, Parts(leases=BlindReturn), by="memory|identity")


class NeverReturns(Leases):
    """Idle slices stay."""

    def talk(self, tail: int, now_ns: int, *, last: bool = False) -> Talk:
        for mine in self.slices.values():
            mine.used_ns = now_ns
        return super().talk(tail, now_ns, last=last)


def test_no_idle_return(caught: Callable[..., None]) -> None:
    caught(lambda world: none(spend(world, world.workers[0], 10, 3)), Parts(leases=NeverReturns), by="rest: .* leased")


def none(_: object) -> None:
    """A story that ends with a value nobody needs."""


class SlackAtOnce(Leases):
    """What a settlement leaves over is free before its frame is on file."""

    def settle(self, purse: Purse, amount: int, charge: int) -> leases_module.Posted:
        super().slack(purse, amount, charge)
        return super().settle(purse, amount, charge)

    def slack(self, purse: Purse, amount: int, charge: int) -> None:
        del purse, amount, charge


def test_slack_before_its_settlement(caught: Callable[..., None]) -> None:
    """The protocol error behind seeds 384 and 1404 of the model: returned before written, then charged in full."""

    def story(world: World) -> None:
        first, second = world.workers
        name = world.ask(first, (KEY,), 10)
        world.talk(first)
        first.journal.tick()
        assert name
        world.read()
        world.settle(name, 0)
        idle(world, first)
        world.talk(first)  # gives back what is free
        world.ask(second, (KEY,), 38)
        world.talk(second)
        second.journal.tick()
        world.kill(first)  # before the settlement is on file
        for _ in range(3):
            world.sweep()

    caught(story, Parts(leases=SlackAtOnce), by="memory|excess|identity")


class CoversWithoutDraining(Leases):
    """An overrun claims to be covered, and leaves free what it was covered with."""

    def settle(self, purse: Purse, amount: int, charge: int) -> leases_module.Posted:
        free = [mine.free for mine in purse.slices]
        rows = super().settle(purse, amount, charge)
        for mine, before in zip(purse.slices, free, strict=True):
            mine.free = before
        return rows


def test_an_overrun_drains_what_covers_it(caught: Callable[..., None]) -> None:
    caught(lambda world: none(spend(world, world.workers[0], 10, 13)), Parts(leases=CoversWithoutDraining), by="memory")


class ChargesNoOverrun(Hold):
    """A settlement above its hold is cut down to it."""

    __slots__ = ()

    def settle(self, exchange: Exchange, flag: str = "", then: Callable[[], None] | None = None) -> None:
        super().settle(replace(exchange, cost_n=min(exchange.cost_n, self.amount)), flag, then)


def test_an_overrun_is_posted_in_full(caught: Callable[..., None]) -> None:
    caught(
        lambda world: none(spend(world, world.workers[0], 10, 13)), Parts(hold=ChargesNoOverrun), by="rest: .* spent 13"
    )


# --- the journal


class CallsAtOnce(Hold):
    """The call goes out although its frame is only queued."""

    __slots__ = ()

    def when_written(self, send: Callable[[], None], failed: Callable[[], None], exchange: Exchange) -> None:
        super().when_written(lambda: None, failed, exchange)
        send()


def test_call_before_journal(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.ask(world.workers[0], (KEY,), 10)
        world.talk(world.workers[0])

    caught(story, Parts(hold=CallsAtOnce), by="journal: a call left")


class ForgetsSettlements(HandJournal):
    """After a failed write everything queued is dropped, settlements too."""

    def _refuse(self, entries: list[journal_module.Entry], error: OSError) -> None:
        super()._refuse(entries, error)
        for entry in self._queue:
            if entry.then:
                entry.then()
        self._queue = []


def test_settle_not_queued(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        name = world.ask(worker, (KEY,), 10)
        world.talk(worker)
        worker.journal.tick()
        assert name
        world.settle(name, 4)
        worker.journal.fails = True
        worker.journal.tick()
        worker.journal.tick()

    caught(story, Parts(journal=ForgetsSettlements), by="memory|rest")


class AppendsBehindTorn(HandJournal):
    """After a short write it goes on behind the torn frame."""

    def _cut(self) -> None:
        self._torn = False
        self._position += 5


def test_torn_middle(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        name = world.ask(worker, (KEY,), 10)
        world.talk(worker)
        worker.journal.tick()
        assert name
        world.settle(name, 4)
        worker.journal.fails = True
        worker.journal.tick()
        worker.journal.tick()

    caught(story, Parts(journal=AppendsBehindTorn), by="rest")


# --- together, in turn, in time


class OneByOne(Leases):
    """The rows are taken one after the other; what was had stays held where the next one is short."""

    def take(self, purse: Purse, amount: int) -> bool:
        for mine in purse.slices:
            if mine.free < amount:
                return False
            mine.free -= amount
        return True


def test_budgets_one_by_one(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        spend(world, worker, 10, 0)
        before = sum(mine.free for mine in worker.leases.slices.values())
        name = world.ask(worker, (KEY, TEAM), 5)  # the key's slice is here, the team's is not
        assert name in worker.waiters
        world.leave(worker, name)
        after = sum(mine.free for mine in worker.leases.slices.values())
        assert after == before, "together: a part stayed held"

    caught(story, Parts(leases=OneByOne), by="together")


class PassesWaiters(Leases):
    """The fast path does not look who waits."""

    def take(self, purse: Purse, amount: int) -> bool:
        for mine in purse.slices:
            mine.blocked = 0
        return super().take(purse, amount)


def test_a_small_call_does_not_pass_a_waiting_one(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        spend(world, worker, 10, 0)
        large = world.ask(worker, (KEY,), 30)
        small = world.ask(worker, (KEY,), 2)
        assert large in worker.waiters
        assert small in worker.waiters, "order: it passed a waiter"
        world.talk(worker)
        assert {large, small} <= world.calls.keys()

    caught(story, Parts(leases=PassesWaiters), by="order")


class PrefetchesAlways(Leases):
    """Slices ahead of need are borrowed and kept although somebody else waits."""

    def hear(self, terms: Terms) -> list[Waiter]:
        return super().hear(replace(terms, wants={}, oldest={}))


def test_prefetch_while_wanted(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        first, second = world.workers
        spend(world, first, 10, 0)
        name = world.ask(second, (KEY,), 35)  # fits the limit, but the first one's slice stands in the way
        assert name
        for _ in range(4):
            world.clock.advance(0.2)
            spend(world, first, 1, 0)
            world.talk(second)
            world.talk(first)
            world.read()
        assert name in world.calls, "liveness: a call that always fitted was never let in"

    caught(story, Parts(leases=PrefetchesAlways), by="liveness")


class RefusesAtOnce(Leases):
    """A wait counts as a refusal: nobody is asked to give back."""

    def hear(self, terms: Terms) -> list[Waiter]:
        verdicts = {
            name: Verdict(Answer.REFUSED, verdict.short) if verdict.answer is Answer.WAIT else verdict
            for name, verdict in terms.verdicts.items()
        }
        return super().hear(replace(terms, verdicts=verdicts))


def wanting(world: World) -> None:
    """The second asks for what the first one has free: it is had, and nobody is refused."""
    first, second = world.workers
    spend(world, first, 10, 0)
    name = world.ask(second, (KEY,), 35)
    refused: list[Waiter] = []
    for _ in range(3):
        refused += [waiter for waiter in world.talk(second) if isinstance(waiter.done, Refused)]
        world.talk(first)
        world.read()
    assert not refused, "refusal: nobody had proved it"
    assert name in world.calls


def test_refuse_at_once(caught: Callable[..., None]) -> None:
    caught(wanting, Parts(leases=RefusesAtOnce), by="refusal")


class PaysToday(Hold):
    """A settlement pays the window in which it happens."""

    __slots__ = ()

    def settle(self, exchange: Exchange, flag: str = "", then: Callable[[], None] | None = None) -> None:
        self._purse = self._bank.leases._open(self._purse.budgets, self._bank.latest_ns)
        super().settle(exchange, flag, then)


def test_settle_pays_new_period(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.workers[0]
        name = world.ask(worker, (KEY,), 10)
        world.talk(worker)
        worker.journal.tick()
        world.clock.advance(86_400)
        assert name
        world.settle(name, 4)
        worker.journal.tick()
        world.read()
        old = world.calls[name].keys[0]
        assert world.ledger.row(old).posted == 4, "window: the settlement paid another one"

    caught(story, Parts(hold=PaysToday), by="window|memory|KeyError")
