"""One slice: how much is asked for, when it goes back, when its row is forgotten."""

import pytest

from clavero.domain.ledger import RowState
from clavero.gateway.slices import IDLE_NS, Slice, done_with, enough, gladly, goes_back, measure

NOW = 10 * IDLE_NS


def state(*, excess: int = 0, is_open: bool = True, share: int = 5) -> RowState:
    """A row as the ledger tells it."""
    return RowState(
        limit=100, posted=0, leased=share, lost=0, excess=excess, open=is_open, granted=share, returned=0, share=share
    )


def used(**more: object) -> Slice:
    """A slice that was spent from just now."""
    mine = Slice(NOW + IDLE_NS)
    mine.free, mine.used_ns, mine.state = 5, NOW, state()
    for name, value in more.items():
        setattr(mine, name, value)
    return mine


@pytest.mark.parametrize(
    ("mine", "back"),
    [
        (used(), False),
        (used(used_ns=NOW - IDLE_NS), True),
        (used(used_ns=NOW - IDLE_NS, blocked=1), False),
        (used(ends_ns=NOW), True),
        (used(want=3), True),
        (used(want=3, mine_oldest=True), False),
        (used(want=3, mine_oldest=True, state=state(excess=1)), True),
        (used(blocked=1, state=state(is_open=False)), True),
    ],
    ids=["in use", "idle", "waited for here", "window over", "wanted", "waited for longest", "in excess", "closing"],
)
def test_a_slice_goes_back_when_others_need_it_or_nobody_does(mine: Slice, *, back: bool) -> None:
    assert goes_back(mine, NOW) is back


@pytest.mark.parametrize("kept", [{"free": 1}, {"blocked": 1}, {"returned": 9}, {"want": 2}, {"state": state()}])
def test_a_row_is_forgotten_only_when_nothing_of_it_is_out_or_waited_for(kept: dict[str, object]) -> None:
    idle: dict[str, object] = {"free": 0, "used_ns": 0, "state": state(share=0)}
    assert done_with(used(**idle), NOW)
    assert not done_with(used(**(idle | kept)), NOW)


def test_two_seconds_of_the_pace_are_asked_for_and_three_needs_more_where_there_is_none() -> None:
    mine = Slice(NOW)
    assert gladly(mine, 10) == 40
    mine.spent = mine.largest = 100
    measure(mine, IDLE_NS)
    assert (mine.pace, mine.spent, mine.used_ns) == (100, 0, IDLE_NS)
    assert gladly(mine, 10) == 210
    assert enough(mine) == 200
    measure(mine, 2 * IDLE_NS)
    assert (mine.pace, mine.largest) == (0, 75)


def test_what_is_left_of_a_row_is_what_nobody_has_and_what_is_free_here() -> None:
    mine = used(state=None)
    assert (mine.left, mine.share, mine.unsaid) == (5, 0, False)
    mine.state = state()
    assert (mine.left, mine.share) == (100, 5)
    mine.returned = 1
    assert mine.unsaid
