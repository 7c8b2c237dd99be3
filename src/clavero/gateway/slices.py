"""One ledger row as a worker has it, and the rules of one slice: how much is asked for, when it goes back.

Amounts are nano-USD; times are nanoseconds of the ledger clock.
"""

from typing import Final

from clavero.domain.ledger import RowState

IDLE_NS: Final = 1_000_000_000  # a slice that nobody took from for so long goes back (L16)
_WINDOW_NS: Final = 250_000_000  # over which the pace of a row is measured


class Slice:
    """One ledger row as this worker has it."""

    __slots__ = (
        "blocked", "ends_ns", "free", "freed", "freed_then", "granted", "largest", "low", "marked_ns", "mine_oldest",
        "pace", "returned", "said", "slack", "spent", "state", "used_ns", "want",
    )  # fmt: skip

    def __init__(self, ends_ns: int) -> None:
        self.ends_ns = ends_ns
        self.free = 0
        self.granted = 0  # G
        self.returned = 0  # R
        self.blocked = 0  # exchanges of this worker that wait for the row (L14)
        self.spent = 0  # taken since `marked_ns`
        self.marked_ns = 0
        self.pace = 0  # taken per second, as last measured
        self.largest = 0  # the largest need of late
        self.low = 0  # below this, more is asked for ahead of need
        self.used_ns = 0
        self.want = 0  # highest want or look that names the row (L18)
        self.said = 0  # the highest one that the database has our answer to
        self.slack = 0  # all that ended holds have left over so far
        self.freed = 0  # what of that is free already: its settlement is on file
        self.freed_then = 0  # the same as the latest talk was made up
        self.mine_oldest = False
        self.state: RowState | None = None

    @property
    def unsaid(self) -> bool:
        """Whether the database has not applied all that was given back: R is told again until it has (L12)."""
        return self.returned > (self.state.returned if self.state is not None else 0)

    @property
    def troubled(self) -> bool:
        """Whether the row is beyond its limit or closing: then nobody keeps anything of it (L16)."""
        return self.state is not None and (self.state.excess > 0 or not self.state.open)

    @property
    def share(self) -> int:
        """All that the database keeps for this worker, as far as it has heard."""
        return self.state.share if self.state is not None else 0

    @property
    def left(self) -> int:
        """The most that a call could have here: what nobody has taken, and what is free already."""
        return self.free + (max(0, self.state.headroom) if self.state is not None else 0)


def gladly(mine: Slice, need: int) -> int:
    """The slice that goes with a need: two seconds of the row's pace, and three needs more where there is none yet.

    A slice bounded by three needs would send every other exchange of a busy worker to the database. What others may
    lack meanwhile is bounded by the database, which lends half of a worker's part of what is left, by L16, which
    gives idle slices back, and by L18: where anybody waits, the need is all that is lent.
    """
    return need + max(2 * max(mine.pace, mine.spent), 3 * need)


def enough(mine: Slice) -> int:
    """What a slice should not fall below: two needs, or what is taken while a talk is under way at worst."""
    return max(2 * mine.largest, mine.pace >> 2)


def measure(mine: Slice, now_ns: int) -> None:
    """Note how fast the row is spent from, and when it was last."""
    if mine.spent:
        mine.used_ns = now_ns
    elapsed = now_ns - mine.marked_ns
    if elapsed >= _WINDOW_NS:
        if not mine.spent:
            mine.largest -= mine.largest >> 2
        mine.pace = mine.spent * 1_000_000_000 // elapsed
        mine.spent = 0
        mine.marked_ns = now_ns


def goes_back(mine: Slice, now_ns: int) -> bool:
    """Whether the free slice goes back (L16): the row is in trouble or over, somebody wants it, nobody used it."""
    if mine.troubled or (mine.want and not mine.mine_oldest):
        return True
    if mine.blocked:
        return False
    return mine.ends_ns <= now_ns or now_ns - mine.used_ns >= IDLE_NS


def done_with(mine: Slice, now_ns: int) -> bool:
    """Whether a row is idle and nothing of it is out any more, so that it can be forgotten.

    While somebody waits for it its counts go on: an answer that began anew would prove too much (L18).
    """
    if mine.free or mine.blocked or mine.unsaid or mine.want or now_ns - mine.used_ns < IDLE_NS:
        return False
    return mine.state is None or not mine.state.share
