"""The shapes of the plugs. A port stands only where there is a second real implementation or a boundary.

Each has an in-memory twin in `clavero.testing` that passes the same contract suite.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from clavero.domain.ledger import Boot, BootId, Place, Position, Talk, Terms
from clavero.domain.posting import Posted, Turn
from clavero.wire.journal import Frame, Unreadable

T = TypeVar("T", bound=Struct)


# --- time and chance


class Clock(Protocol):
    """Time, handed in. `wall_ns` is UTC; `monotonic_ns` never goes back and is for durations only."""

    def wall_ns(self) -> int: ...
    def monotonic_ns(self) -> int: ...


class Dice(Protocol):
    """Chance, handed in."""

    def uniform(self, low: float, high: float) -> float: ...
    def token(self, size: int) -> bytes: ...


class Mortal(Protocol):
    """Something that ends, or acts, when its time has come."""

    deadline: float  # monotonic seconds; infinite for none. Moving it is an attribute write

    def expire(self, now: float) -> None:
        """The deadline has passed; may add and discard, its own self included."""
        ...


class Ticker(Protocol):
    """One sweep every 100 ms over everything that has a deadline, instead of a timer for each."""

    now: float  # monotonic seconds as of the last sweep: at most one sweep old, and cheap to read

    def add(self, thing: Mortal) -> None: ...
    def discard(self, thing: Mortal) -> None: ...


# --- money


class Lender(Protocol):
    """The ledger as a worker sees it. Blocking: it is called in a thread of its own, one call at a time (L11).

    Every method raises `ConnectionError` where the outcome is unknown or the database is away.
    """

    def register(self, boot: BootId, worker: str) -> int:
        """Make the boot known before its first borrow (L1); returns the incarnation."""
        ...

    def talk(self, talk: Talk) -> Terms:
        """One transaction of returns, acknowledgements and asks; `Fenced` where the boot is not live."""
        ...

    def close(self) -> None: ...


class Journal(Protocol):
    """Where a worker writes what must not be lost. One owner, one thread: the loop's."""

    @property
    def written(self) -> int:
        """Bytes of frames on file, all segments of this boot."""
        ...

    @property
    def holds_refused(self) -> bool:
        """True while the disk is full or too much waits for ingest: no new holds, settlements still."""
        ...

    def append(
        self, frame: Frame, then: Callable[[], None] | None = None, failed: Callable[[], None] | None = None
    ) -> None:
        """Queue a frame for this tick's write; `then` runs once it is on file, in order.

        Never raises for the disk. Where a frame cannot be written now, `failed` runs: a hold is given up, though it may
        be on file; a settlement stays queued and its `then` waits; of anything else `then` does not wait.
        """
        ...

    def close(self, now_ns: int) -> None:
        """Write the seal and end (L25)."""
        ...


class Stretch(Struct, frozen=True):
    """A piece of a journal: its frames, where the next begins, and whether nothing more is there for now."""

    frames: Sequence[Frame | Unreadable]
    to: Position
    size: int  # bytes of blocks
    ended: bool
    damage: str = ""  # something is missing or broken that is not a torn tail; nothing can be read behind it


class Journals(Protocol):
    """The journals that boots wrote into one directory, as their reader sees them. Blocking."""

    @property
    def place(self) -> Place:
        """Which directory on which running kernel."""
        ...

    def read(self, boot: BootId, at: Position, most: int) -> Stretch:
        """Whole blocks from a position on, at least one and about `most` frames."""
        ...

    def proof_of_death(self, boot: BootId, *, rebooted: bool = False) -> AbstractContextManager[bool]:
        """True, and it stays true, where the boot's lock is free: it holds it for life.

        A lock file that is gone proves nothing, unless its machine has started anew since.
        """
        ...

    def remove(self, boot: BootId, below: int) -> None:
        """Remove the segments with a lower number."""
        ...

    def boots(self) -> Sequence[BootId]:
        """Whose journals are here, closed or not, known to the database or not."""
        ...

    def tidy(self, keep: int, closed: Collection[BootId]) -> None:
        """Remove what these boots left, but for the newest segments of them all."""
        ...

    def discard(self, boot: BootId) -> None:
        """Remove the journal of a dead boot that no database knows, if nothing was ever written there."""
        ...


class Books(Protocol):
    """The ledger as ingest and reclaim see it: each method one transaction. Blocking, one call at a time.

    Every method raises `ConnectionError` where the outcome is unknown or the database is away.
    """

    def boots(self) -> tuple[int, Sequence[Boot]]:
        """The database's clock, UTC nanoseconds, and every boot that is not closed."""
        ...

    def closed(self, boots: Collection[BootId]) -> set[BootId]:
        """Which of these boots are closed: their journals were read to the end."""
        ...

    def post(self, turn: Turn) -> Posted | None:
        """Post a turn if its journal is still read up to where it begins; None where somebody was faster."""
        ...

    def write_off(self, boot: BootId, silent_ns: int) -> bool:
        """Write off the share of a live boot that has been silent for longer (L28); False where it has not."""
        ...

    def close_boot(self, boot: BootId, at: Position, *, complete: bool) -> bool:
        """Close a dead boot whose journal is read to the end (L27, L29); False where more was read since."""
        ...

    def sweep(self) -> None:
        """Forget old wants, and archive what nothing is leased from: rows of deleted budgets, old ones in excess."""
        ...

    def close(self) -> None: ...


# --- what the planes tell each other


class Change(Struct, frozen=True):
    """One row of the change log: the object with this kind and id is new, changed or gone."""

    seq: int
    kind: str
    id: str


class Publication(Protocol):
    """How a worker learns of changes. Blocking: called in a thread of its own."""

    def load(self) -> tuple[int, Mapping[type[Struct], Sequence[Struct]]]:
        """Everything that workers need, and the sequence number it is as of."""
        ...

    def wait(self, after: int, seconds: float) -> Sequence[Change]:
        """The changes after a number, at once or when one comes; none when time is up; `Behind` where some are gone."""
        ...

    def fetch(self, kind: type[T], ids: Sequence[str]) -> Sequence[T]:
        """The objects of a kind that still exist among these ids."""
        ...

    def every(self, kind: type[T]) -> Sequence[T]: ...  # of a kind that has few

    def close(self) -> None: ...


# --- the control plane's memory


class Reading(Protocol):
    """A consistent look at the stored objects. Objects are the frozen structs of `domain`, one table per type."""

    async def get(self, kind: type[T], identity: str) -> T | None: ...
    async def find(self, kind: type[T], **equal: object) -> list[T]: ...
    async def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Rows of a query that the adapter knows by this name, never of SQL made by the planes."""
        ...


class Writing(Reading, Protocol):
    """A look that may also change. Only `control/commit` takes one."""

    def name_of(self, thing: Struct) -> tuple[str, str]:
        """The kind and id of an object, as the change log says them."""
        ...

    async def put(self, thing: Struct) -> None: ...
    async def put_all(self, things: Sequence[Struct]) -> None:
        """Create or replace objects of one kind, at least one, in one statement."""
        ...

    async def delete(self, kind: type[Struct], identity: str) -> None: ...
    async def log(self, kind: str, identity: str, at_ns: int) -> None:
        """Add a row to the change log; workers hear of it once this transaction is committed."""
        ...

    async def log_all(self, names: Sequence[tuple[str, str]], at_ns: int) -> None:
        """Add a row for each kind and id, at least one."""
        ...

    async def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest audit row, locked until this transaction ends: the chain cannot fork."""
        ...

    async def run(self, statement: str, **values: object) -> None:
        """Run a statement that the adapter knows by this name."""
        ...


class Store(Protocol):
    """The control plane's database."""

    def read(self) -> AbstractAsyncContextManager[Reading]: ...
    def write(self) -> AbstractAsyncContextManager[Writing]:
        """One transaction; another one begins only when it is over."""
        ...

    async def close(self) -> None: ...


# --- sealing


class Unsealer(Protocol):
    """Who holds the seal: the supervisor, over inherited pipes. `ConnectionError` says why a wish is not done now."""

    @property
    def kind(self) -> str:
        """How the root keys are wrapped: `file`, `passphrase`."""
        ...

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The root keys that are held now, oldest first."""
        ...

    async def add_root(self) -> None:
        """Return when the seal and every process of this machine hold a new root key behind the one that was there."""
        ...

    async def keep_root(self, name: str, seq: int) -> None:
        """Return when every other root key is destroyed; not before every worker has applied change `seq`."""
        ...


# --- outgoing calls


class Outgoing(Struct, frozen=True):
    """One request to a provider, ready to be written: `target` is the path, `headers` without Host and length."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Head(Struct, frozen=True):
    """The head of an answer; header names are lower-case, the last of a repeated one wins."""

    status: int
    headers: dict[str, str]


class Deadlines(Struct, frozen=True):
    """How long a call may take, in seconds: to connect, to the first byte, between two reads, in all."""

    connect: float = 5.0
    first_byte: float = 30.0
    idle: float = 30.0
    total: float = 600.0


class Taker(Protocol):
    """What an upstream connection pushes an answer into: one head, then data, then one end or one failure.

    All calls come from the loop; none may block or raise. After `failed` or `ended` nothing follows.
    """

    def head(self, head: Head) -> None: ...
    def data(self, data: bytes) -> None: ...
    def ended(self) -> None: ...
    def failed(self, error: Exception) -> None: ...


class Line(Protocol):
    """The handle of one call under way."""

    def pause(self) -> None:
        """Stop reading from the provider until `resume`: the caller reads too slowly."""
        ...

    def resume(self) -> None: ...

    def abort(self) -> None:
        """End it now; the taker hears nothing more and the connection is never used again."""
        ...


class Upstreams(Protocol):
    """The one owner of outgoing sockets: pooled, checked and pinned addresses, deadlines."""

    def send(self, origin: str, outgoing: Outgoing, taker: Taker, deadlines: Deadlines) -> Line:
        """Start a call. Failures (`domain.calls`) go to the taker, never out of here."""
        ...

    def allow(self, origin: str, network: str) -> None:
        """Let calls go to an origin (`https://host:443`) of this network class; replaces what was said before."""
        ...

    async def close(self) -> None: ...


# --- the caller


class Request(Struct):
    """One request as the edge hands it over: target checked, body whole, header names folded to lower case."""

    id: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str
    at_ns: int  # UTC
    started_ns: int  # monotonic, when its head was complete


class Client(Protocol):
    """The way back to the caller. Status and head are decided once."""

    def reply(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """The whole answer at once."""
        ...

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin a streamed answer; the head is written with the first chunk."""
        ...

    def write(self, data: bytes) -> None: ...

    def finish(self) -> None:
        """End a streamed answer cleanly."""
        ...

    def cut(self) -> None:
        """End the connection without a clean end: what was sent is incomplete."""
        ...

    def on_flow(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Call these when the caller reads too slowly, and when it has caught up."""
        ...
