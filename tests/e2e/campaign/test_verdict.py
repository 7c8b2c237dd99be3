"""The judge itself: a refusal is false only where nothing that was committed, all the while, justifies it."""

from tests.e2e.campaign.load import Refusal
from tests.e2e.campaign.verdict import false_refusals

MS = 1_000_000
HELD, CHARGED = 30, 2
LIMIT = [(0, 100)]


def refused(sent_ms: int, heard_ms: int) -> Refusal:
    return Refusal("tight", sent_ms * MS, heard_ms * MS, "req_1", "key/tight")


def span(begun_ms: int, ended_ms: int, charged: int = CHARGED) -> tuple[int, int, int, int]:
    return begun_ms * MS, ended_ms * MS, HELD, charged


def test_a_refusal_is_false_where_it_fitted_all_the_while() -> None:
    assert false_refusals([refused(500, 510)], [span(0, 100)], LIMIT)


def test_open_holds_justify_a_refusal_at_any_instant_of_it() -> None:
    three = [span(500, 600), span(500, 600), span(500, 600)]
    assert not false_refusals([refused(550, 560)], three, LIMIT)
    assert not false_refusals([refused(450, 520)], three, LIMIT)
    assert false_refusals([refused(700, 710)], three, LIMIT)


def test_what_was_charged_justifies_it_for_ever() -> None:
    assert not false_refusals([refused(900, 910)], [span(0, 10, 75)], LIMIT)
    assert false_refusals([refused(900, 910)], [span(0, 10, 70)], LIMIT)


def test_a_raised_limit_counts_from_when_it_was_acknowledged() -> None:
    spent = [span(0, 10, 90)]
    raised = [(0, 100), (500 * MS, 200)]
    assert not false_refusals([refused(490, 510)], spent, raised)
    assert false_refusals([refused(510, 520)], spent, raised)
