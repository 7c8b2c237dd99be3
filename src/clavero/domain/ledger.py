"""The nouns of the money protocol, as worker and database say them to each other (docs/explanation/ledger.md).

Rule numbers such as L11 are names of rules in that page; code and tests cite them.
"""

from enum import Enum
from typing import NewType

from msgspec import Struct

from clavero.domain.budgets import RowKey

BootId = NewType("BootId", str)  # 32 hex digits, one start of one worker, never reused


class Answer(Enum):
    """What the database says to an ask."""

    GRANTED = "granted"
    REFUSED = "refused"  # proved: the money is not there (L18)
    WAIT = "wait"  # somebody holds what is missing, or an older want comes first
    GONE = "gone"  # a row of the ask is closing or has no budget any more


class Ask(Struct, frozen=True):
    """One exchange that waits for money. `need` must be had of every row; `slice` is what would be borrowed gladly."""

    request_id: str
    need: dict[RowKey, int]
    slice: dict[RowKey, int]
    have: dict[RowKey, int]  # the worker's own free slice, which counts towards the need


class Talk(Struct, frozen=True):
    """One money talk, one transaction (L11): heartbeat, returns, acknowledgements, all asks, oldest first."""

    boot: BootId
    incarnation: int
    tail: int  # bytes of journal written by this boot
    returned: dict[RowKey, int]  # R: absolute totals, resent until applied (L12)
    acked: dict[RowKey, int]  # highest want seen that names the row (L18)
    asks: tuple[Ask, ...] = ()
    withdrawn: tuple[str, ...] = ()  # request ids whose want is to be deleted (L17)


class RowState(Struct, frozen=True):
    """A ledger row as the worker sees it after the talk: nano-USD."""

    limit: int
    posted: int
    leased: int
    lost: int
    excess: int
    open: bool
    granted: int  # G: the worker's own total
    returned: int
    share: int

    @property
    def headroom(self) -> int:
        """What nobody has taken yet; below 0 while in excess."""
        return self.limit - self.posted - self.leased - self.lost


class Verdict(Struct, frozen=True):
    """The answer to one ask, and the row that was short where it was not granted."""

    answer: Answer
    short: RowKey | None = None


class Terms(Struct, frozen=True):
    """What the database answered to a talk. Only committed facts."""

    now_ns: int  # the database's clock, UTC
    live_workers: int
    rows: dict[RowKey, RowState]
    verdicts: dict[str, Verdict]  # by request id
    wants: dict[RowKey, int]  # rows that anybody waits for: highest want number that names it
    oldest: dict[RowKey, BootId]  # who waits longest for each of them


class Fenced(Exception):
    """The database no longer counts this boot among the living (L24)."""
