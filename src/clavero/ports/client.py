"""The caller: one request as the edge hands it over, and the way back."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct


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
