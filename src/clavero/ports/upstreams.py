"""Calls to providers: what is asked, what comes back, and the one owner of sockets."""

from typing import Protocol

from msgspec import Struct


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
