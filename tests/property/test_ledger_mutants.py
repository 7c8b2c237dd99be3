"""Each protection of the ledger, taken away, is noticed: the same story is told to the real parts and to a mutant.

The real parts must pass it, and the mutant must not: a mutant that survives fails its test. Names are those of the
protocol's page (section 7); mutants of the worker's memory stand with the worker's leases.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from clavero.adapters.storage import books as books_module
from clavero.adapters.storage import ledger_rows
from clavero.adapters.storage import ledger_sql as sql
from clavero.adapters.storage import lender as lender_module
from clavero.adapters.storage.books import SqlBooks
from clavero.adapters.storage.ledger_sql import Statement
from clavero.adapters.storage.lender import SqlLender
from clavero.control.ingest import Ingest
from clavero.control.reclaim import End, Ended, Reclaim
from clavero.domain import lending, posting
from clavero.domain.budgets import RowKey
from clavero.domain.ledger import Answer, Boot, BootId, Lease, Life, Row
from clavero.domain.posting import Accounts, OpenHold, Posted, Posting, Turn
from clavero.testing.journals import PlainJournal
from clavero.testing.ledger_world import KEY, ROWS, TEAM, WELL, Fate, FatefulDatabase, Parts, Worker, World

DAY1, DAY2, MONTH = ROWS
Story = Callable[[World], None]
Patch = pytest.MonkeyPatch


def told(root: Path, story: Story, parts: Parts | None = None) -> None:
    """Tell a story to a new world, look after every step, and let everybody rest in the end."""
    root.mkdir()
    world = World(root, parts or Parts())
    try:
        story(world)
        world.rest()
    finally:
        world.close()


@pytest.fixture
def caught(tmp_path: Path, monkeypatch: Patch) -> Callable[..., None]:
    """Tell a story to the real parts, then with the mutant in: the first must pass and the second must not."""

    def tell(
        story: Story, parts: Parts | None = None, mutate: Callable[[Patch], None] | None = None, *, by: str
    ) -> None:
        told(tmp_path / "real", story)
        with monkeypatch.context() as patch:
            if mutate:
                mutate(patch)
            with pytest.raises((AssertionError, ValueError, IntegrityError), match=by):
                told(tmp_path / "mutant", story, parts)

    return tell


def spend(world: World, need: dict[RowKey, int], charge: int | None = None) -> None:
    """Borrow, hold and settle with the first worker, or leave the call open."""
    worker = world.workers[0]
    assert world.borrow(worker, need) is Answer.GRANTED
    name = world.hold(worker, need)
    assert name
    if charge is not None:
        world.settle(worker, name, charge)
    world.check()


def read_all(world: World) -> None:
    """Ingest until nothing more comes."""
    while world.read(most=100):
        world.check()


# --- ingest


class BlindBooks(SqlBooks):
    """Posts without looking at the position."""

    def post(self, turn: Turn) -> Posted | None:
        [boot] = [boot for boot in self.boots()[1] if boot.id == turn.boot]
        return super().post(replace(turn, at=boot.at))


def test_no_offset_cas_posts_a_frame_twice(caught: Callable[..., None], monkeypatch: Patch) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 10}, 7)
        world.read_late()
        world.check()

    caught(story, Parts(books=BlindBooks), by="it was posted before")


class ForgetfulBooks(SqlBooks):
    """Moves the position in one transaction and the money in the next; it dies where `drops_at` says."""

    def post(self, turn: Turn) -> Posted | None:
        assert isinstance(self._database, FatefulDatabase)
        fate, self._database.fate = self._database.fate, WELL
        if super().post(replace(turn, holds=[], postings=[])) is None:
            return None
        self._database.fate = fate
        return super().post(replace(turn, at=turn.to, size=0))


@pytest.mark.parametrize("drops_at", range(1, 9))
def test_two_tx_ingest_loses_frames_when_it_dies_in_between(caught: Callable[..., None], drops_at: int) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 10}, 7)
        world.read(Fate(drops_at=drops_at), most=100)
        world.check()
        read_all(world)
        assert world.ledger.row(DAY1).posted == 7, "frames are lost"

    caught(story, Parts(books=ForgetfulBooks), by="frames are lost")


class EagerIngest(Ingest):
    """Removes segments before what they hold is committed."""

    def post(self, boot: Boot, stretch: object) -> object:  # type: ignore[override]
        self._journals.remove(boot.id, stretch.to.seg + 1)  # type: ignore[attr-defined]
        return super().post(boot, stretch)  # type: ignore[arg-type]


def test_unlink_first_loses_a_segment_when_the_commit_fails(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 10}, 7)
        world.workers[0].journal.next_segment()
        spend(world, {DAY1: 5}, 5)
        world.read(Fate(drops_at=2), most=100)
        read_all(world)
        assert world.ledger.row(DAY1).posted == 12

    caught(story, Parts(ingest=EagerIngest), by="assert 0 == 12")


def test_overrun_poison_stops_ingest(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 40}, 45)
        read_all(world)
        assert world.ledger.row(DAY1).excess == 5

    def mutate(patch: Patch) -> None:
        patch.setattr(posting, "settle_excess", lambda row: None)

    caught(story, mutate=mutate, by="ledger_cap")


def test_late_posts_twice_charges_what_was_written_off_again(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 30})
        world.be_silent()
        world.sweep()
        world.check()
        worker = world.workers[0]
        world.settle(worker, next(iter(worker.holds)), 30)
        read_all(world)
        row = world.ledger.row(DAY1)
        assert (row.posted, row.lost, row.excess) == (30, 5, 0)

    def post_on_top(accounts: Accounts, one: Posting) -> None:
        for charge in one.charges:
            row, lease = accounts.row(charge.key), accounts.lease(charge.key)
            from_share = min(charge.covered, max(0, lease.share))
            lease.posted += from_share
            row.posted += charge.charge
            row.leased -= from_share
            lending.settle_excess(row)

    caught(story, mutate=lambda patch: patch.setattr(books_module, "post", post_on_top), by="without an overrun")


# --- talk


def test_blind_return_retry_gives_back_twice(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.start()
        spend(world, {DAY1: 10})
        world.borrow(worker, {DAY1: 10})
        world.give_back(worker, Fate(answer_lost=True))
        world.check()
        world.give_back(worker)
        world.check()

    def take_back(counter: lending.Counter, key: RowKey, total: int) -> None:
        lease, row = counter.own(key), counter.rows[key]
        lease.returned += total
        row.leased -= total
        lending.settle_excess(row)

    def mutate(patch: Patch) -> None:
        patch.setattr(lending, "_take_back", take_back)
        for module in (lending, lender_module):
            patch.setattr(
                module, "owed", lambda returned, leases: {k: v for k, v in returned.items() if v and k in leases}
            )

    caught(story, mutate=mutate, by="ledger_no_debt")


def test_check_then_add_lends_what_another_has_taken_meanwhile(caught: Callable[..., None]) -> None:
    """The naive variant reads, compares and writes a total: what came between the two is gone."""

    def story(world: World) -> None:
        first, second = world.start(), world.start()
        stale: dict[RowKey, Row] = {}
        world.borrow(first, {DAY1: 1})
        stale[DAY1] = world.ledger.row(DAY1)
        world.borrow(first, {DAY1: 30})
        world.hold(first, {DAY1: 30})
        world.check()
        naive.update(stale)
        world.borrow(second, {DAY1: 30})
        naive.clear()
        world.hold(second, {DAY1: 30})
        world.check()

    naive: dict[RowKey, Row] = {}
    find_rows = ledger_rows.find_rows

    def find_stale(session: object, statement: Statement, keys: set[RowKey]) -> dict[RowKey, Row]:
        found = find_rows(session, statement, keys)  # type: ignore[arg-type]
        return {key: replace(naive[key]) if key in naive else row for key, row in found.items()}

    write_totals = Statement(sql.MOVE.text.replace("leased = leased + :leased", "leased = :total"))

    def mutate(patch: Patch) -> None:
        patch.setattr(lender_module, "find_rows", find_stale)
        patch.setattr(sql, "MOVE", write_totals)
        patch.setattr(
            lender_module,
            "move_rows",
            lambda session, before, after: session.many(
                write_totals,
                [
                    {
                        "budget": k.budget,
                        "period": k.period,
                        "posted": 0,
                        "lost": 0,
                        "excess": r.excess,
                        "total": r.leased,
                    }
                    for k, r in after.items()
                ],
            ),
        )

    caught(story, mutate=mutate, by="leased 34, shares 64")


def test_a_stale_read_alone_is_stopped_by_the_check_of_the_table(tmp_path: Path, monkeypatch: Patch) -> None:
    """Money moves by difference, so even without the lock nothing is overspent: the second line of defence."""
    root = tmp_path / "world"
    root.mkdir()
    world = World(root)
    first, second = world.start(), world.start()
    world.borrow(first, {DAY1: 1})
    stale = world.ledger.row(DAY1)
    world.borrow(first, {DAY1: 30})
    monkeypatch.setattr(lender_module, "find_rows", lambda *_: {DAY1: replace(stale)})
    with pytest.raises(ValueError, match="CHECK constraint failed"):
        world.borrow(second, {DAY1: 30})
    monkeypatch.undo()
    world.check()
    world.rest()
    world.close()


def test_refuse_at_once_says_no_though_the_money_is_only_lying_about(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        first, second = world.start(), world.start()
        world.borrow(first, {DAY1: 20})
        assert world.borrow(second, {DAY1: 30}) is Answer.WAIT
        world.give_back(first)
        assert world.borrow(second, {DAY1: 30}) is Answer.GRANTED

    caught(story, mutate=lambda patch: patch.setattr(lending, "_proved", lambda *_: True), by="REFUSED")


def test_prefetch_while_wanted_lets_somebody_overtake(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        first, second = world.start(), world.start()
        world.borrow(first, {DAY1: 20})
        assert world.borrow(second, {DAY1: 30}) is Answer.WAIT
        assert world.borrow(first, {DAY1: 25}) is Answer.WAIT

    caught(story, mutate=lambda patch: patch.setattr(lending, "_older_want", lambda *_: False), by="GRANTED")


# --- operator


def test_limit_poison_makes_a_lowered_limit_impossible(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 30}, 30)
        read_all(world)
        world.limit(KEY, 10)
        world.check()
        assert world.ledger.row(DAY1).excess == 25

    poison = Statement("UPDATE ledger SET limit_n = :limit WHERE budget_id = :budget")
    caught(story, mutate=lambda patch: patch.setattr(sql, "APPLY_LIMIT", (poison,)), by="ledger_cap")


def test_delete_cascades_forgets_what_is_out(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 30, MONTH: 30})
        world.delete(KEY)
        world.check()
        world.budget(KEY, 40)
        world.limit(KEY, 40)
        second = world.start()
        world.borrow(second, {DAY1: 30})
        world.hold(second, {DAY1: 30})
        world.check()

    cascade = tuple(
        Statement(text)
        for text in (
            "DELETE FROM lease WHERE budget_id = :budget",
            "DELETE FROM ledger WHERE budget_id = :budget",
            "DELETE FROM budget WHERE id = :budget",
        )
    )
    caught(story, mutate=lambda patch: patch.setattr(sql, "CLOSE_BUDGET", cascade), by="memory 35, kept 0")


# --- the end of a boot


def test_free_open_holds_forgets_a_call_that_has_left(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 10, MONTH: 10})
        world.kill(world.workers[0])

    def freed(hold: OpenHold) -> Posting:
        whole = posting.worst_case(hold)
        return replace(whole, charges=tuple(replace(one, charge=0, covered=0) for one in whole.charges))

    caught(story, mutate=lambda patch: patch.setattr(books_module, "worst_case", freed), by="posted 0, spent 10")


class ReadThenDead(Reclaim):
    """Reads the journal to its end first, and asks for proof of death afterwards."""

    between: Callable[[], None] = staticmethod(lambda: None)

    def _look_at(self, boot: Boot, now: int) -> Ended | None:
        turned = self._ingest.turn(boot)
        if turned.frames or not turned.ended:
            return None
        ReadThenDead.between()
        with self._journals.proof_of_death(boot.id) as dead:
            if dead and self._books.close_boot(boot.id, boot.at, complete=True):
                return Ended(boot.id, End.CLOSED)
        return None


class DeadThenRead(Reclaim):
    """The real one, with the same moment to interfere: before it looks."""

    def _look_at(self, boot: Boot, now: int) -> Ended | None:
        ReadThenDead.between()
        return super()._look_at(boot, now)


def test_read_then_dead_loses_what_was_written_in_between(caught: Callable[..., None], monkeypatch: Patch) -> None:
    def story(world: World) -> None:
        worker = world.start()
        world.borrow(worker, {DAY1: 20})
        read_all(world)

        def last_words() -> None:
            if worker.alive:
                world.hold(worker, {DAY1: 20})
                world.kill(worker)

        monkeypatch.setattr(ReadThenDead, "between", staticmethod(last_words))
        if type(world.reclaim) is Reclaim:
            world.reclaim = DeadThenRead(world.segments, world.books, world.ingest)
        for _ in range(4):
            world.sweep()
            world.check()

    caught(story, Parts(reclaim=ReadThenDead), by="posted 0, spent 20")


class Credulous(Reclaim):
    """Takes a journal that is gone or cut for one without holds."""

    def _close(self, boot: Boot) -> Ended | None:
        turned = self._ingest.turn(boot)
        if turned.frames or not turned.ended:
            return None
        return Ended(boot.id, End.CLOSED) if self._books.close_boot(boot.id, boot.at, complete=True) else None


def test_lost_journal_is_empty_frees_what_was_spent(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        world.start()
        spend(world, {DAY1: 10}, 10)
        world.lose_segment(world.workers[0])

    caught(story, Parts(reclaim=Credulous), by="spent 10, known 0 and 0")


class SilenceIsDeath(Reclaim):
    """Counts a stopped worker as dead: its journal is closed and its rest freed."""

    def _write_off(self, boot: Boot) -> Ended | None:
        return self._close(boot)


def test_stop_counts_dead_frees_what_a_stopped_worker_goes_on_to_spend(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.start()
        world.borrow(worker, {DAY1: 20})
        world.be_silent()
        for _ in range(3):
            world.sweep()
        world.hold(worker, {DAY1: 20})
        world.check()

    caught(story, Parts(reclaim=SilenceIsDeath), by="memory 30, kept 0")


def test_expiry_frees_lends_the_same_money_twice(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        worker = world.start()
        world.borrow(worker, {DAY1: 20})
        world.be_silent()
        world.sweep()
        world.hold(worker, {DAY1: 20})
        world.check()

    caught(
        story,
        mutate=lambda patch: patch.setattr(books_module, "write_off", posting.give_back_all),
        by="memory 30, kept 0",
    )


def under_its_workers_name(patch: Patch) -> None:
    """A boot goes by the name of its worker, so that the next one begins where the last one ended."""

    def start(world: World) -> Worker:
        boot = BootId("0" * 32)
        shutil.rmtree(world.root / "journal" / boot, ignore_errors=True)
        database = FatefulDatabase(world.ground.database())
        lender = SqlLender(database, world.segments.place)
        worker = Worker(boot, lender, database, PlainJournal(world.root / "journal", boot))
        lender.register(boot, "w")
        world.workers.append(worker)
        return worker

    patch.setattr(World, "start", start)


def test_worker_id_key_gives_a_new_boot_what_the_last_one_had(caught: Callable[..., None]) -> None:
    def story(world: World) -> None:
        first = world.start()
        spend(world, {DAY1: 10}, 7)
        read_all(world)
        world.kill(first)
        second = world.start()
        assert world.borrow(second, {DAY1: 10}) is Answer.GRANTED
        world.check()

    caught(story, mutate=under_its_workers_name, by="memory")


def test_moving_a_lost_boot_back_to_life_is_impossible(tmp_path: Path) -> None:
    root = tmp_path / "world"
    root.mkdir()
    world = World(root)
    worker = world.start()
    world.borrow(worker, {DAY1: 20})
    world.be_silent()
    world.sweep()
    world.borrow(worker, {DAY1: 1})
    assert worker.fenced
    assert [boot.life for boot in world.books.boots()[1]] == [Life.LOST]
    assert world.ledger.leases()[worker.boot, DAY1] == Lease(granted=30, moved=30, lost=30)
    world.rest()
    world.close()


def test_a_settlement_of_an_old_window_pays_the_old_window(tmp_path: Path) -> None:
    root = tmp_path / "world"
    root.mkdir()
    world = World(root)
    world.start()
    spend(world, {DAY1: 10, MONTH: 10})
    spend(world, {DAY2: 5, MONTH: 5}, 5)
    worker = world.workers[0]
    world.settle(worker, next(iter(worker.holds)), 9)
    read_all(world)
    assert [world.ledger.row(key).posted for key in (DAY1, DAY2, MONTH)] == [9, 5, 14]
    assert world.limits[TEAM] == 40
    world.rest()
    world.close()
