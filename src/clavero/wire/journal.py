"""The journal's frames: what a worker promises before a call leaves and what it owes afterwards.

A segment starts with a header; then come blocks `length u32 | crc32c u32 | payload`, little-endian, whose payload is
the msgpack frames of one loop tick one after the other, each behind its own length. A torn block is dropped whole:
none of its calls has left. Reading and writing of files is not this file's business.
"""

from msgspec import Struct

from clavero.domain.usage import Exchange


class Header(Struct, frozen=True, array_like=True):
    """The first frame of a segment. `previous` is the good length of the segment before it, 0 for the first."""

    boot: str
    worker: str
    incarnation: int
    number: int
    previous: int


class Hold(Struct, frozen=True, array_like=True, tag="h", gc=False):
    """Money set aside for a call that is about to leave: `rows` are (budget, period, nano-USD)."""

    id: str
    at_ns: int
    rows: tuple[tuple[str, int, int], ...]


class Settle(Struct, frozen=True, array_like=True, tag="s", gc=False):
    """What a hold came to: `rows` are (budget, period, charge, covered by the worker's own slice), nano-USD (L20)."""

    id: str
    rows: tuple[tuple[str, int, int, int], ...]
    flag: str  # "" reported by the provider; estimated; partial; overrun
    exchange: Exchange


class Record(Struct, frozen=True, array_like=True, tag="r", gc=False):
    """An exchange that cost nothing: refused, or free."""

    exchange: Exchange


class Pulse(Struct, frozen=True, array_like=True, tag="p", gc=False):
    """Once a second: the heartbeat and the source of gauges."""

    at_ns: int
    applied_seq: int
    in_flight: int
    waiting: int
    loop_lag_us: int
    streams: int


class Seal(Struct, frozen=True, array_like=True, tag="e", gc=False):
    """The last frame of an orderly stop (L25): proof that this boot is dead."""

    at_ns: int


Frame = Hold | Settle | Record | Pulse | Seal
