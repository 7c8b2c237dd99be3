"""The nouns of the money protocol."""

from clavero.domain.budgets import BudgetId, RowKey, Subject, Window, budget_id, budget_parts
from clavero.domain.ledger import Ack, Ask, BootId, Lease, Row, RowState, Talk

KEY, TEAM, ALL = (RowKey(BudgetId(name), 0) for name in ("key", "team", "all"))


def test_a_talk_is_about_every_row_that_it_names() -> None:
    talk = Talk(BootId("a"), 1, 0, {KEY: 1}, {TEAM: Ack(2, 0, 0)}, (Ask("r", {ALL: 1}, {}, {}),))
    assert talk.named() == {KEY, TEAM, ALL}


def test_headroom_is_what_nobody_has_and_goes_below_zero_in_excess() -> None:
    assert Row(10, posted=1, leased=2, lost=3).headroom == 4
    assert Row(10, posted=12, excess=2).headroom == -2
    assert RowState(10, 1, 2, 3, 0, open=True, granted=0, returned=0, share=0).headroom == 4


def test_a_share_is_what_was_granted_less_what_went() -> None:
    assert Lease(granted=10, returned=1, posted=2, moved=3).share == 4


def test_a_budget_id_says_whose_it_is() -> None:
    for subject in Subject:
        assert budget_parts(budget_id(subject, "a:b/c", Window.DAY)) == (subject, "a:b/c")
    for strange in ("", "key", "key/x", "nobody/x:day", "key:day/x"):
        assert budget_parts(strange) is None
