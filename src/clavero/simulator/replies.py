"""What goes back to the caller: a head, then timed steps, then an end. Pure values; `connection` plays them."""

from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct

from clavero.simulator.answers import Answer


class Ending(Enum):
    """How an answer ends."""

    CLEAN = "clean"
    CUT = "cut"  # the connection is closed before the answer is whole
    RESET = "reset"  # the connection is torn down
    HANG = "hang"  # nothing more is said; the connection stays open


class Step(Struct, frozen=True):
    """Wait, then write. `tokens` are the output tokens that are billed once this was written."""

    delay: float
    data: bytes
    tokens: int = 0


class Bill(Struct, frozen=True):
    """What a whole exchange costs in tokens; the output of a stream is billed as far as it was played."""

    model: str
    input: int
    cached: int = 0
    output: int = 0
    extra: int = 0  # output that no step carries: reasoning, or a provider's overrun
    written: int = 0


class Reply(Struct, frozen=True, kw_only=True):
    """An answer. A streamed one is chunked, one chunk a step; a plain one has one step, or none where it hangs."""

    status: int = 200
    steps: tuple[Step, ...]
    streamed: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.CLEAN
    bill: Bill | None = None
    length: int | None = None  # the content length that is claimed, where it is not the true one


class Pace(Struct, frozen=True):
    """How fast the provider is, in seconds."""

    first_token: float = 0.0
    token: float = 0.0

    def whole(self, tokens: int) -> float:
        """Until an answer of so many tokens is there."""
        return self.first_token + self.token * tokens


def plain(document: Any, bill: Bill | None, pace: Pace) -> Reply:
    """A JSON document as one answer."""
    if bill is None:
        return Reply(steps=(Step(0.0, msgspec.json.encode(document)),))
    step = Step(pace.whole(bill.output), msgspec.json.encode(document), bill.output - bill.extra)
    return Reply(steps=(step,), bill=bill)


def bill_of(given: Answer) -> Bill:
    """The bill of an answer; what no piece carries is extra."""
    spoken = sum(len(choice.pieces) for choice in given.choices)
    extra = given.output_tokens - spoken
    return Bill(given.model, given.input_tokens, given.cached, given.output_tokens, extra, given.written)


def event(document: Any, name: str = "") -> bytes:
    """One server-sent event."""
    data = msgspec.json.encode(document)
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data) if name else b"data: %b\n\n" % data
