"""What frames do to the ledger, on rows without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import BootId, Lease, Row, RowLife
from clavero.domain.posting import (
    AMOUNT_MAX,
    Accounts,
    Charge,
    OpenHold,
    Poison,
    Posting,
    amounts,
    charges,
    check_hold,
    give_back_all,
    post,
    worst_case,
    write_off,
)
from clavero.domain.usage import Exchange

A = BootId("a")
KEY, TEAM = RowKey(BudgetId("key/0123456789AB:day"), 0), RowKey(BudgetId("team/support:day"), 0)


def accounts(row: Row, lease: Lease) -> Accounts:
    return Accounts(A, {KEY: row}, {KEY: lease})


def charge(amount: int, covered: int) -> Posting:
    return Posting("r", Exchange("r", 5), (Charge(KEY, amount, covered),))


def test_the_share_pays_first_then_what_was_written_off_then_nobody() -> None:
    it = accounts(Row(100, leased=5, lost=4), Lease(granted=9, moved=4, lost=4))
    post(it, charge(12, 11))
    assert it.rows[KEY] == Row(100, posted=12, leased=0, lost=0)
    assert it.leases[KEY] == Lease(granted=9, moved=4, posted=5, lost=0)


def test_spent_money_grows_excess_by_what_the_limit_lacks_and_no_more() -> None:
    it = accounts(Row(10, leased=8), Lease(granted=8))
    post(it, charge(9, 8))
    assert it.rows[KEY].excess == 0
    post(it, charge(4, 0))
    assert it.rows[KEY].excess == 3


def test_a_row_that_nobody_knows_is_made_closing_and_in_excess() -> None:
    it = Accounts(A, {})
    post(it, charge(7, 7))
    assert it.rows[KEY] == Row(0, posted=7, excess=7, life=RowLife.CLOSING)


def test_giving_back_frees_share_and_write_off_and_eases_excess() -> None:
    it = accounts(Row(10, posted=8, leased=6, lost=4, excess=8), Lease(granted=18, posted=8, moved=4, lost=4))
    give_back_all(it)
    assert it.rows[KEY] == Row(10, posted=8)
    assert (it.leases[KEY].share, it.leases[KEY].lost) == (0, 0)


def test_writing_off_frees_nothing() -> None:
    it = accounts(Row(10, leased=6), Lease(granted=6))
    write_off(it)
    assert it.rows[KEY] == Row(10, lost=6)
    assert it.rows[KEY].headroom == 4
    write_off(it)
    assert it.rows[KEY].lost == 6


def test_an_open_hold_is_charged_in_full_to_whom_it_named() -> None:
    hold = OpenHold("r.2", 5, ((*KEY, 9), (*TEAM, 9)), Exchange("r", 4, key_id="k", feature="faq", final=False))
    found = worst_case(hold)
    assert found.charges == (Charge(KEY, 9, 9), Charge(TEAM, 9, 9))
    it = found.exchange
    assert (it.request_id, it.feature, it.final, it.cost_n, it.held_n) == ("r", "faq", False, 9, 9)
    assert (it.estimated, it.outcome, it.code, found.flag) == (True, "failed", "worker_lost", "estimated")


def test_an_open_hold_that_named_nobody_is_known_by_its_budgets() -> None:
    it = worst_case(OpenHold("r", 5, ((*KEY, 9), (*TEAM, 9), ("nonsense", 0, 1)))).exchange
    assert (it.request_id, it.at_ns, it.key_id, it.team, it.service) == ("r", 5, "0123456789AB", "support", "")


def test_an_open_hold_without_rows_costs_nothing() -> None:
    assert worst_case(OpenHold("r", 5, ())).exchange.cost_n == 0


@pytest.mark.parametrize("row", [("b", 0, -1, 0), ("b", 0, 5, 6), ("b", 0, 5, -1), ("b", 0, AMOUNT_MAX + 1, 0)])
def test_a_settlement_that_makes_no_sense_is_poison(row: tuple[str, int, int, int]) -> None:
    with pytest.raises(Poison, match="no settlement"):
        charges([row])


def test_a_row_named_twice_is_poison() -> None:
    with pytest.raises(Poison, match="twice"):
        charges([("b", 0, 1, 1), ("b", 0, 1, 1)])
    with pytest.raises(Poison, match="twice"):
        check_hold(OpenHold("r", 5, (("b", 0, 1), ("b", 0, 1))))


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1])
def test_a_hold_that_makes_no_sense_is_poison(amount: int) -> None:
    with pytest.raises(Poison, match="reason"):
        check_hold(OpenHold("r", 5, (("b", 0, amount),)))


def test_what_a_usage_row_keeps_of_its_charges() -> None:
    assert amounts(charge(7, 3)) == [(*KEY, 7)]


money = st.integers(0, 40)


@given(share=money, lost=money, posted=money, limit=money, steps=st.lists(st.tuples(money, money), max_size=5))
def test_whatever_is_posted_the_sums_hold(
    share: int, lost: int, posted: int, limit: int, steps: list[tuple[int, int]]
) -> None:
    row = Row(limit, posted, share, lost, max(0, posted + share + lost - limit))
    it = accounts(row, Lease(granted=share + lost, moved=lost, lost=lost))
    for one, other in steps:
        post(it, charge(max(one, other), min(one, other)))
        lease = it.leases[KEY]
        assert row.leased == lease.share
        assert row.lost == lease.lost
        assert min(row.leased, row.lost, row.excess) >= 0
        assert row.posted + row.leased + row.lost <= row.limit + row.excess
    assert row.posted == posted + sum(max(step) for step in steps)
    give_back_all(it)
    assert (row.leased, row.lost) == (0, 0)
    assert row.excess == max(0, row.posted - limit)
