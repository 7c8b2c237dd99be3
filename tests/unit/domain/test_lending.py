"""Who is lent what, on rows without a database."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ack, Answer, Ask, BootId, Lease, Look, Row, RowLife, Talk, Want
from clavero.domain.lending import WANT_NS, Counter, highest_wants, hold_talk, is_young, leases_by_row, owed, row_state

A, B, C = BootId("a"), BootId("b"), BootId("c")
KEY, TEAM = RowKey(BudgetId("key/k:day"), 0), RowKey(BudgetId("team/t:day"), 0)


def counter(rows: dict[RowKey, Row], wants: Iterable[Want] = (), **leases: Lease) -> Counter:
    """A counter of boot `a`; leases are on KEY, by boot."""
    found = leases_by_row((BootId(boot), KEY, lease) for boot, lease in leases.items())
    return Counter(A, rows, found, list(wants), live_workers=1)


def ask(counter: Counter, *asks: Ask, returned: dict[RowKey, int] | None = None, acked: int = 0) -> list[Answer]:
    hold_talk(counter, Talk(A, 1, 0, returned or {}, {KEY: Ack(acked, 0, 0)} if acked else {}, asks))
    return [counter.verdicts[one.request_id].answer for one in asks]


def need(name: str, amount: int, gladly: int = 0, have: int = 0) -> Ask:
    return Ask(name, {KEY: amount}, {KEY: gladly}, {KEY: have})


@pytest.mark.parametrize(
    ("live", "headroom", "gladly", "lent"),
    [(1, 100, 0, 10), (1, 100, 40, 40), (1, 100, 900, 55), (4, 100, 900, 21), (1, 10, 900, 10)],
)
def test_a_slice_is_the_need_and_at_most_a_fair_part_of_the_rest(
    live: int, headroom: int, gladly: int, lent: int
) -> None:
    it = counter({KEY: Row(headroom)})
    it.live_workers = live
    assert ask(it, need("r", 10, gladly)) == [Answer.GRANTED]
    assert it.own(KEY).granted == it.rows[KEY].leased == lent


def test_while_somebody_else_waits_only_the_need_is_lent() -> None:
    it = counter({KEY: Row(100)}, [Want(7, B, "b", (TEAM,), 0), Want(8, A, "r", (KEY,), 0), Want(9, B, "c", (KEY,), 0)])
    assert ask(it, need("r", 10, 900)) == [Answer.GRANTED]
    assert it.own(KEY).granted == 10
    assert it.dropped == [8]


def test_asks_with_a_want_come_first_in_the_order_of_their_wants() -> None:
    it = counter({KEY: Row(10)}, [Want(8, A, "second", (KEY,), 0), Want(5, A, "first", (KEY,), 0)])
    answers = ask(it, need("new", 1), need("second", 6), need("first", 6), acked=1)
    assert answers == [Answer.GRANTED, Answer.REFUSED, Answer.GRANTED]


def test_alone_on_a_row_a_short_headroom_is_proof_but_for_what_the_worker_has_freed_meanwhile() -> None:
    it = counter({KEY: Row(10)}, [Want(7, A, "r", (KEY,), 0)])
    assert ask(it, need("r", 30, have=5)) == [Answer.REFUSED]
    assert it.verdicts["r"].short_by == 30 - 5 - 10
    assert it.dropped == [7]


LOOK = Look(headroom=10, bases={B: 4})


@pytest.mark.parametrize(
    ("holder", "answer"),
    [
        (Lease(granted=20, acked=8, slack=9), Answer.REFUSED),
        (Lease(granted=20, acked=9, slack=24), Answer.WAIT),  # at the look as much as is needed may have been there
        (Lease(granted=20, acked=7, slack=9), Answer.WAIT),  # its answer is older than the look
        (Lease(granted=20, acked=8, slack=23, returned=20), Answer.REFUSED),  # it has nothing any more, but it did
    ],
)
def test_a_look_proves_a_refusal_once_its_holders_have_answered_it(holder: Lease, answer: Answer) -> None:
    wants = [Want(7, A, "r", (KEY,), 0), Want(8, B, "look", (KEY,), 0, LOOK)]
    it = counter({KEY: Row(30, leased=20)}, wants, b=holder, c=Lease(granted=1, acked=8))
    assert ask(it, need("r", 30)) == [answer]
    assert it.dropped == ([7] if answer is Answer.REFUSED else [])


def test_a_look_from_before_an_ask_and_one_of_a_holder_that_is_gone_prove_nothing() -> None:
    for number in (6, 8):
        wants = [Want(7, A, "r", (KEY,), 0), Want(number, B, "look", (KEY,), 0, LOOK)]
        leases = {"c": Lease(granted=20, acked=9), **({"b": Lease(acked=9)} if number == 6 else {})}
        it = counter({KEY: Row(30, leased=20)}, wants, **leases)
        assert ask(it, need("r", 30)) == [Answer.WAIT]
        assert it.looked == {KEY: Look(10, {C: 0})}, "then the row is looked at again"


@pytest.mark.parametrize(
    ("acked", "looked"),
    [(0, False), (1, True), (8, True)],
)
def test_a_row_is_looked_at_when_every_holder_has_said_what_it_keeps(acked: int, *, looked: bool) -> None:
    it = counter({KEY: Row(30, leased=20)}, b=Lease(granted=20, acked=acked, base=-3))
    assert ask(it, need("r", 30), need("s", 40)) == [Answer.WAIT, Answer.WAIT]
    assert it.looked == ({KEY: Look(10, {B: -3})} if looked else {})


def test_a_row_is_not_looked_at_while_a_look_is_still_to_be_answered() -> None:
    wants = [Want(7, A, "r", (KEY,), 0), Want(8, B, "look", (KEY,), 0, LOOK)]
    it = counter({KEY: Row(30, leased=20)}, wants, b=Lease(granted=20, acked=7))
    assert ask(it, need("r", 30)) == [Answer.WAIT]
    assert it.looked == {}


def test_a_row_that_the_own_slice_covers_proves_nothing() -> None:
    rows = {KEY: Row(10, leased=10), TEAM: Row(10, leased=10)}
    it = counter(rows, a=Lease(granted=10))
    it.leases[TEAM] = {B: Lease(granted=10)}
    both = Ask("r", {KEY: 5, TEAM: 5}, {}, {KEY: 5})
    assert ask(it, both) == [Answer.WAIT]
    assert it.verdicts["r"].short == TEAM


def test_what_does_not_fit_is_refused_behind_an_older_want_and_what_fits_waits() -> None:
    it = counter({KEY: Row(10)}, [Want(1, B, "b", (KEY,), 0)])
    assert ask(it, need("r", 30), need("s", 5)) == [Answer.REFUSED, Answer.WAIT]
    assert [one.request_id for one in it.added] == ["s"]


def test_a_grant_takes_back_an_acknowledgement_of_the_same_talk() -> None:
    it = counter({KEY: Row(100)}, a=Lease(acked=3))
    ask(it, need("r", 10), acked=9)
    assert it.own(KEY).acked == 0


def test_an_acknowledgement_never_goes_back_and_makes_no_lease() -> None:
    it = counter({KEY: Row(100)}, a=Lease(acked=9))
    ask(it, acked=5)
    assert it.own(KEY).acked == 9
    empty = counter({KEY: Row(100)})
    ask(empty, acked=5)
    assert empty.leases == {}


def test_a_return_beyond_the_share_takes_no_more_than_the_share() -> None:
    it = counter({KEY: Row(100, leased=10)}, a=Lease(granted=10))
    ask(it, returned={KEY: 25})
    assert (it.rows[KEY].leased, it.own(KEY).share) == (0, 0)


def test_what_is_owed_is_the_total_less_what_was_applied() -> None:
    leases = {KEY: Lease(granted=10, returned=4)}
    assert owed({KEY: 6, TEAM: 9}, leases) == {KEY: 2}
    assert owed({KEY: 4}, leases) == owed({KEY: 3}, leases) == {}


@pytest.mark.parametrize("life", [RowLife.CLOSING, RowLife.ARCHIVED])
def test_only_open_rows_lend(life: RowLife) -> None:
    it = counter({KEY: Row(100, life=life)}, [Want(3, A, "r", (KEY,), 0)])
    assert ask(it, need("r", 1)) == [Answer.GONE]
    assert it.dropped == [3]


def test_wants_that_nobody_stands_behind_any_more_go() -> None:
    it = counter(
        {KEY: Row(100)},
        [Want(3, A, "left", (KEY,), 0), Want(4, B, "b", (KEY,), 0), Want(5, A, "look", (KEY,), 0, LOOK)],
    )
    hold_talk(it, Talk(A, 1, 0, {}, {}))
    assert it.dropped == [3]


def test_the_highest_number_and_the_longest_waiter_are_told_by_row() -> None:
    wants = [Want(3, B, "x", (KEY,), 0), Want(5, C, "y", (KEY, TEAM), 0)]
    assert highest_wants(wants) == ({KEY: 5, TEAM: 5}, {KEY: B, TEAM: C})
    looks = [Want(7, B, "look", (KEY,), 0, LOOK), Want(8, B, "look", (RowKey(BudgetId("left"), 0),), 0, LOOK)]
    assert highest_wants([*wants, *looks]) == ({KEY: 7, TEAM: 5}, {KEY: B, TEAM: C})


def test_a_want_is_young_for_two_seconds() -> None:
    want = Want(1, A, "r", (KEY,), 10)
    assert is_young(want, 10 + WANT_NS)
    assert not is_young(want, 11 + WANT_NS)


def test_a_row_without_a_lease_is_told_as_one_with_an_empty_lease() -> None:
    assert row_state(Row(5, life=RowLife.CLOSING), None).open is False
    assert row_state(Row(5, posted=1), Lease(granted=4, returned=1)).share == 3


amounts = st.integers(0, 50)


@given(
    limit=st.integers(0, 100),
    asks=st.lists(st.tuples(amounts, amounts), max_size=6),
    back=amounts,
    start=st.integers(0, 60),
)
def test_lending_never_passes_the_limit_and_every_leased_coin_has_an_owner(
    limit: int, asks: list[tuple[int, int]], back: int, start: int
) -> None:
    it = counter({KEY: Row(limit, leased=start)}, a=Lease(granted=start))
    it.rows[KEY].excess = max(0, start - limit)
    each = (need(str(n), amount, gladly) for n, (amount, gladly) in enumerate(asks))
    answers = ask(it, *each, returned={KEY: back}, acked=1)
    row = it.rows[KEY]
    assert row.leased == it.own(KEY).share
    assert row.excess == max(0, row.leased - limit)
    assert row.leased <= max(limit, start)
    granted = sum(amount for (amount, _), answer in zip(asks, answers, strict=True) if answer is Answer.GRANTED)
    assert it.own(KEY).granted - start >= granted
    assert Answer.WAIT not in answers, "alone on a row nobody waits"
