"""The nouns of the money protocol, as worker and database say them to each other (docs/explanation/ledger.md).

Rule numbers such as L11 are names of rules in that page; code and tests cite them.
"""

from enum import Enum, StrEnum
from typing import NamedTuple, NewType

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
    """One exchange that waits for money. `need` must be had of every row; `slice` is what would be borrowed gladly.

    `slice` is the whole amount, need included; the database shortens it to its fair part of what is left. A need of 0
    asks for a slice ahead of time: it is never refused, never waits, and may be granted nothing.
    """

    request_id: str
    need: dict[RowKey, int]
    slice: dict[RowKey, int]
    have: dict[RowKey, int]  # the worker's own free slice as of this talk, told by every ask that names the row


class Ack(Struct, frozen=True):
    """What a worker says of one row for others to be refused by (L18), as it makes up a talk; nano-USD.

    Until it borrows again, it never has more free than the `slack` of a later one less the `base` of this one.
    """

    number: int  # the highest want or look seen that names the row; 0: none
    base: int  # what of ended holds has become free, less what is free now and kept
    slack: int  # all that ended holds have left over so far, on file or not


class Talk(Struct, frozen=True):
    """One money talk, one transaction (L11): heartbeat, returns, acknowledgements, all asks, oldest first.

    A want of this boot whose request is not among the asks goes: the caller has left (L17). `Terms.rows` tells of
    every row that is named in `returned`, `acked`, `about` or a need, and of own rows in excess or not open.
    """

    boot: BootId
    incarnation: int
    tail: int  # bytes of journal written by this boot
    returned: dict[RowKey, int]  # R: absolute totals, resent until applied (L12)
    acked: dict[RowKey, Ack]  # only of rows where every grant was heard of (L18)
    asks: tuple[Ask, ...] = ()
    about: tuple[RowKey, ...] = ()  # rows to hear of besides
    forgotten: tuple[RowKey, ...] = ()  # own leases that are empty and will not be heard of again (L16)

    def named(self) -> set[RowKey]:
        """Every row that this talk is about."""
        return self.returned.keys() | self.acked.keys() | {*self.about} | {key for ask in self.asks for key in ask.need}


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
    """The answer to one ask, and the row that was short where it was not granted.

    `short_by` nano-USD were missing of what the worker told in this very talk; it knows whether they came meanwhile.
    0: what came meanwhile is counted already.
    """

    answer: Answer
    short: RowKey | None = None
    short_by: int = 0


class Terms(Struct, frozen=True):
    """What the database answered to a talk. Only committed facts."""

    now_ns: int  # the database's clock, UTC
    live_workers: int
    rows: dict[RowKey, RowState]
    verdicts: dict[str, Verdict]  # by request id
    wants: dict[RowKey, int]  # rows that anybody waits for: the highest want or look that names it
    oldest: dict[RowKey, BootId]  # who waits longest for each of them


class Fenced(Exception):
    """The database no longer counts this boot among the living (L24)."""


# --- what the database keeps


class Life(StrEnum):
    """What a boot may do: only `live` borrows and returns; there is no edge back."""

    LIVE = "live"
    LOST = "lost"  # silent without proof of death: its share is written off (L28)
    CLOSED = "closed"


class RowLife(StrEnum):
    """What may happen on a ledger row: only `open` lends; settlements are always taken."""

    OPEN = "open"
    CLOSING = "closing"  # its budget is deleted; money is still out
    ARCHIVED = "archived"


class Row(Struct):
    """One row of the ledger, nano-USD, while a transaction changes it."""

    limit: int
    posted: int = 0
    leased: int = 0
    lost: int = 0
    excess: int = 0
    life: RowLife = RowLife.OPEN

    @property
    def headroom(self) -> int:
        """What nobody has taken yet; below 0 while in excess."""
        return self.limit - self.posted - self.leased - self.lost


class Lease(Struct):
    """What one boot has of one row, as running totals in nano-USD, and what it said of it last (L18)."""

    granted: int = 0
    returned: int = 0
    posted: int = 0
    moved: int = 0
    lost: int = 0
    acked: int = 0  # the highest want or look that it has answered since it last borrowed
    base: int = 0
    slack: int = 0

    @property
    def share(self) -> int:
        """All that its boot may still spend."""
        return self.granted - self.returned - self.posted - self.moved


class Look(Struct, frozen=True):
    """A row at one instant, under its lock, nano-USD: what nobody had borrowed, and what every holder had last said.

    Once all of them have answered it, it is known how much of the row was nobody's at that instant, at most (L18).
    """

    headroom: int
    bases: dict[BootId, int]


class Want(Struct, frozen=True):
    """Somebody waits for money on these rows; a lower number came earlier. With a `look` it is no want, but a look."""

    number: int
    boot: BootId
    request_id: str
    rows: tuple[RowKey, ...]
    at_ns: int
    look: Look | None = None


class Place(Struct, frozen=True):
    """Where a boot keeps its journal, and what of it outlives a power cut."""

    home: str  # names the journal directory; another home is another machine or another disk
    kernel_boot: str  # names the running kernel: another one is proof that the boot is dead
    durable: bool = False  # holds are on the disk before their call leaves


class Position(NamedTuple):
    """How far a journal is read: segment number, and byte in that file; 0 is before its header."""

    seg: int
    off: int


class Boot(Struct, frozen=True):
    """One start of one worker, as the database knows it. Nanoseconds UTC; bytes of blocks."""

    id: BootId
    worker: str
    life: Life
    place: Place
    at: Position = Position(0, 0)
    heartbeat: int = 0
    tail: int = 0  # what the worker said it had written
    consumed: int = 0  # what was read of it
    sealed: bool = False  # its seal frame was read: it ended in order, and is dead
