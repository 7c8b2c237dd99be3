"""The contract of `Books`, on both databases and on the twin in memory."""

import json

import pytest

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ask, BootId, Fenced, Place, Position, RowLife, Talk
from clavero.domain.posting import AMOUNT_MAX, Charge, OpenHold, Posting, Reject, Turn
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.ports.ledger import Books, Lender
from clavero.testing.ledgers import Ledger

KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)
TEAM = RowKey(BudgetId("team/support:month"), 0)
A, B = BootId("a" * 32), BootId("b" * 32)
HERE = Place("here", "kernel-1", durable=True)


class House:
    """One ledger, one worker that has lent 50 of 100 of the key and of the team, one reader."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.at = Position(0, 0)
        ledger.budget(KEY.budget, 100)
        ledger.budget(TEAM.budget, 1000)
        self.lender: Lender = ledger.lender(HERE)
        self.lender.register(A, "w")
        self.talk(Ask("r", {KEY: 50, TEAM: 50}, {}, {}))
        self.books: Books = ledger.books()

    def talk(self, *asks: Ask, returned: dict[RowKey, int] | None = None) -> None:
        self.lender.talk(Talk(A, 1, 0, returned or {}, {}, asks))

    def post(self, *parts: OpenHold | Posting | Reject, pulse_ns: int = 0, sealed: bool = False) -> int:
        """Post parts at the next position; returns how many were rejected."""
        to = Position(self.at.seg, self.at.off + 10)
        turn = Turn(
            A,
            self.at,
            to,
            10,
            [part for part in parts if isinstance(part, OpenHold)],
            [part for part in parts if isinstance(part, Posting)],
            [part for part in parts if isinstance(part, Reject)],
            pulse_ns,
            sealed,
        )
        posted = self.books.post(turn)
        assert posted is not None
        self.at = to
        return posted.rejected


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger)


def hold(name: str, amount: int = 10) -> OpenHold:
    return OpenHold(name, 5, ((KEY.budget, KEY.period, amount), (TEAM.budget, TEAM.period, amount)))


def settled(name: str, charge: int, covered: int | None = None, **known: object) -> Posting:
    exchange = Exchange(name, 86_400_000_000_000 * 3 + 7, cost_n=charge, **known)  # type: ignore[arg-type]
    rows = (KEY, TEAM)
    return Posting(name, exchange, tuple(Charge(key, charge, charge if covered is None else covered) for key in rows))


def money(house: House, key: RowKey = KEY) -> tuple[int, int, int, int]:
    row = house.ledger.row(key)
    return row.posted, row.leased, row.lost, row.excess


@pytest.mark.requirement(1)
def test_a_settlement_turns_leased_into_posted_and_becomes_a_usage_row(house: House) -> None:
    house.post(hold("r1"))
    assert house.ledger.open_holds() == {"r1"}
    house.post(settled("r1", 7))
    assert money(house) == money(house, TEAM) == (7, 43, 0, 0)
    assert house.ledger.open_holds() == set()
    assert house.ledger.leases()[A, KEY].share == 43


def test_a_usage_row_keeps_everything_that_was_told(house: House) -> None:
    attempt = Attempt("openai", "gpt-4o-mini", 1, 2, 200)
    tokens = Tokens(1, 2, 3, 4, 5)
    house.post(
        settled(
            "r1",
            7,
            key_id="0123456789AB",
            feature="faq",
            tokens=tokens,
            attempts=(attempt,),
            streamed=True,
            final=False,
        )
    )
    row = house.ledger.usage()["r1"]
    assert (row["request_id"], row["day"], row["key_id"], row["feature"], row["cost_n"]) == (
        "r1",
        3,
        "0123456789AB",
        "faq",
        7,
    )
    assert [row[name] for name in ("input", "cached", "cache_write", "output", "reasoning")] == [1, 2, 3, 4, 5]
    assert (bool(row["streamed"]), bool(row["estimated"]), bool(row["final"])) == (True, False, False)
    assert json.loads(row["attempts"])[0][:2] == ["openai", "gpt-4o-mini"]
    assert json.loads(row["amounts"]) == [[*KEY, 7], [*TEAM, 7]]


def test_hold_and_settlement_of_one_turn_leave_nothing_open(house: House) -> None:
    house.post(hold("r1"), hold("r2"), settled("r1", 10))
    assert house.ledger.open_holds() == {"r2"}
    assert money(house) == (10, 40, 0, 0)


def test_a_record_is_a_usage_row_without_charges(house: House) -> None:
    house.post(Posting("r1", Exchange("r1", 5, outcome="refused", code="insufficient_quota")))
    assert house.ledger.usage()["r1"]["outcome"] == "refused"
    assert money(house) == (0, 50, 0, 0)


def test_a_turn_is_posted_once_however_often_it_is_read(house: House) -> None:
    turn = Turn(A, Position(0, 0), Position(0, 10), 10, [hold("r1")], [settled("r1", 7)])
    assert house.books.post(turn) is not None
    assert house.books.post(turn) is None
    assert house.ledger.books().post(turn) is None
    assert money(house) == (7, 43, 0, 0)
    [boot] = house.books.boots()[1]
    assert (boot.at, boot.consumed) == (Position(0, 10), 10)


def test_a_settlement_written_twice_is_charged_once_and_reported(house: House) -> None:
    assert house.post(hold("r1"), settled("r1", 7), settled("r1", 7)) == 1
    assert house.post(hold("r1"), settled("r1", 7)) == 1
    assert money(house) == (7, 43, 0, 0)
    assert house.ledger.open_holds() == set()
    assert house.ledger.rejects() == ["it was posted before"] * 2


def test_an_overrun_is_posted_in_full_and_its_surplus_is_excess(house: House) -> None:
    house.post(hold("r1", 50), settled("r1", 120, covered=50))
    assert money(house) == (120, 0, 0, 20)
    assert money(house, TEAM) == (120, 0, 0, 0)


def test_an_overrun_within_the_limit_is_no_excess(house: House) -> None:
    house.post(settled("r1", 60, covered=50))
    assert money(house) == (60, 0, 0, 0)


def test_money_spent_on_a_deleted_budget_is_posted_all_the_same(house: House) -> None:
    house.ledger.delete(KEY.budget)
    house.post(hold("r1"), settled("r1", 10))
    assert money(house) == (10, 40, 0, 0)


def test_money_spent_on_a_row_that_nobody_knows_is_kept_as_excess(house: House) -> None:
    ghost = RowKey(BudgetId("key/ghost:day"), 0)
    house.post(Posting("r1", Exchange("r1", 5), (Charge(ghost, 9, 9),)))
    row = house.ledger.row(ghost)
    assert (row.posted, row.leased, row.excess, row.life) == (9, 0, 9, RowLife.CLOSING)


def test_a_pulse_is_a_heartbeat_but_never_one_from_the_future_or_the_past(house: House) -> None:
    now, _ = house.books.boots()
    house.ledger.grow_old(100)
    old = house.ledger.heartbeat(A)
    house.post(pulse_ns=old - 10**9)
    assert house.ledger.heartbeat(A) == old
    house.post(pulse_ns=old + 10**9)
    assert house.ledger.heartbeat(A) == old + 10**9
    house.post(pulse_ns=now + 10**15)
    assert house.ledger.heartbeat(A) < now + 10**12


def test_a_seal_is_remembered(house: House) -> None:
    assert not house.books.boots()[1][0].sealed
    house.post(sealed=True)
    house.post()
    assert house.books.boots()[1][0].sealed


def test_what_could_not_be_read_is_kept_with_its_reason(house: House) -> None:
    assert house.post(Reject("no frame that we know", b"\x01"), settled("r1", 3)) == 1
    assert house.ledger.rejects() == ["no frame that we know"]
    assert money(house)[0] == 3


def test_boots_tell_where_they_keep_their_journal(house: House) -> None:
    [boot] = house.books.boots()[1]
    assert (boot.id, boot.worker, boot.place, boot.at) == (A, "w", HERE, Position(0, 0))


# --- silence


def test_only_who_has_been_silent_is_written_off_and_nothing_becomes_free(house: House) -> None:
    assert not house.books.write_off(A, 60_000_000_000)
    house.ledger.grow_old(61)
    assert house.books.write_off(A, 60_000_000_000)
    assert not house.books.write_off(A, 60_000_000_000)
    assert money(house) == money(house, TEAM) == (0, 0, 50, 0)
    with pytest.raises(Fenced):
        house.talk(returned={KEY: 50})


def test_a_late_frame_of_a_lost_boot_is_paid_by_what_was_written_off(house: House) -> None:
    house.post(hold("r1"))
    house.ledger.grow_old(61)
    house.books.write_off(A, 60_000_000_000)
    house.post(settled("r1", 8))
    assert money(house) == (8, 0, 42, 0)
    assert house.ledger.leases()[A, KEY].lost == 42


def test_what_was_lost_comes_back_when_the_boot_is_closed(house: House) -> None:
    house.post(hold("r1"), hold("r2"))
    house.ledger.grow_old(61)
    house.books.write_off(A, 60_000_000_000)
    house.post(settled("r1", 8))
    assert house.books.close_boot(A, house.at, complete=True)
    assert money(house) == (18, 0, 0, 0)


# --- the end of a boot


def test_open_holds_of_a_dead_boot_are_charged_in_full_and_the_rest_returns(house: House) -> None:
    house.post(hold("r1", 10), hold("r2", 5), settled("r2", 2))
    assert house.books.close_boot(A, house.at, complete=True)
    assert money(house) == money(house, TEAM) == (12, 0, 0, 0)
    assert house.ledger.open_holds() == set()
    row = house.ledger.usage()["r1"]
    assert (row["cost_n"], row["flag"], bool(row["estimated"]), row["code"]) == (10, "estimated", True, "worker_lost")
    assert (row["key_id"], row["team"]) == ("0123456789AB", "support"), "whose it was, by the names of the budgets"
    assert house.books.boots()[1] == []
    assert house.ledger.leases() == {}


def test_an_open_hold_is_charged_to_whom_its_frame_named(house: House) -> None:
    known = Exchange("r1", 5, key_id="0123456789AB", key_version=2, feature="faq", model_asked="gpt-4o-mini")
    house.post(OpenHold("r1.1", 5, ((TEAM.budget, TEAM.period, 4),), known))
    house.books.close_boot(A, house.at, complete=True)
    row = house.ledger.usage()["r1.1"]
    assert (row["request_id"], row["key_version"], row["feature"], row["cost_n"]) == ("r1", 2, "faq", 4)


def test_a_boot_is_closed_only_where_its_journal_was_read_to(house: House) -> None:
    before = house.at
    house.post(hold("r1"))
    assert not house.books.close_boot(A, before, complete=True)
    assert house.books.close_boot(A, house.at, complete=True)
    assert not house.books.close_boot(A, house.at, complete=True)
    assert money(house) == (10, 0, 0, 0)


def test_who_is_closed_is_told_and_who_is_unknown_is_not_closed(house: House) -> None:
    assert house.books.closed([A, B]) == set()
    house.books.close_boot(A, house.at, complete=True)
    assert house.books.closed([A, B]) == {A}


def test_nothing_is_posted_after_the_end(house: House) -> None:
    house.books.close_boot(A, house.at, complete=True)
    turn = Turn(A, house.at, Position(0, 99), 9, [], [settled("r1", 7)])
    assert house.books.post(turn) is None
    assert house.ledger.usage() == {}


def test_the_share_of_an_incomplete_journal_stays_lost_for_good(house: House) -> None:
    house.post(hold("r1", 10))
    assert house.books.close_boot(A, house.at, complete=False)
    assert money(house) == (10, 0, 40, 0)
    lease = house.ledger.leases()[A, KEY]
    assert (lease.share, lease.lost) == (0, 40)


def test_wants_of_a_closed_boot_block_nobody(house: House) -> None:
    other = house.ledger.lender(HERE)
    other.register(B, "w2")
    other.talk(Talk(B, 1, 0, {}, {}, (Ask("b", {KEY: 20}, {}, {}),)))
    house.talk(Ask("a", {KEY: 90}, {}, {}))
    assert KEY in other.talk(Talk(B, 1, 0, {}, {})).wants
    house.books.close_boot(A, house.at, complete=True)
    assert other.talk(Talk(B, 1, 0, {}, {})).wants == {}


def test_sweeping_forgets_old_wants_and_archives_what_is_closed_and_empty(house: House) -> None:
    other = house.ledger.lender(HERE)
    other.register(B, "w2")
    other.talk(Talk(B, 1, 0, {}, {}, (Ask("b", {KEY: 90}, {}, {}),)))
    house.ledger.delete(KEY.budget)
    house.books.sweep()
    assert house.ledger.row(KEY).life is RowLife.CLOSING, "money is still out"
    house.talk(returned={KEY: 50})
    house.ledger.grow_old(3)
    house.books.sweep()
    assert house.ledger.row(KEY).life is RowLife.ARCHIVED
    assert other.talk(Talk(B, 1, 0, {}, {})).wants == {}


def test_sweeping_archives_old_windows_in_excess_and_keeps_budgets_for_ever(house: House) -> None:
    house.post(settled("r1", 2000, covered=50))
    assert (money(house), money(house, TEAM)) == ((2000, 0, 0, 1900), (2000, 0, 0, 1000))
    house.books.sweep()
    assert house.ledger.row(KEY).life is RowLife.ARCHIVED
    assert house.ledger.row(TEAM).life is RowLife.OPEN


def test_a_lowered_limit_is_no_obstacle_to_posting_or_closing(house: House) -> None:
    house.post(hold("r1"), hold("r2"))
    house.ledger.apply_limit(KEY.budget, 5)
    assert money(house) == (0, 50, 0, 45)
    house.post(settled("r1", 10))
    assert money(house) == (10, 40, 0, 45)
    house.books.close_boot(A, house.at, complete=True)
    assert money(house) == (20, 0, 0, 15)


def test_the_largest_amounts_that_a_frame_may_have_are_posted(house: House) -> None:
    house.post(*(settled(f"r{n}", AMOUNT_MAX, covered=0) for n in range(3)))
    assert money(house)[0] == 3 * AMOUNT_MAX
