"""The journal's frames and their bytes: what a worker promises before a call leaves and what it owes afterwards.

A segment starts with `MAGIC` and a block that holds its `Header`; then come blocks `length u32 | crc32c u32 | payload`,
little-endian, whose payload is one msgpack array with the frames of one loop tick. A torn block is dropped whole: none
of its calls has left. A length and checksum of zero end a segment: it is preallocated. An array and not a length per
frame, because one call of the encoder costs 0.3 µs a frame instead of 0.5. Files are not this module's business.
"""

import struct
from collections.abc import Sequence
from typing import Final

import google_crc32c
import msgspec
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
    """Money set aside for a call that is about to leave: `rows` are (budget, period, nano-USD).

    `exchange` is what is known when the call leaves: should its worker die, the usage row is made of it.
    """

    id: str
    at_ns: int
    rows: tuple[tuple[str, int, int], ...]
    exchange: Exchange | None = None


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

MAGIC: Final = b"clvj\x00\x00\x00\x01"  # the last four bytes are the version of this format, big-endian
BLOCK_MAX: Final = 16 * 1024 * 1024  # bytes of one payload; more is taken for damage
_PREFIX: Final = struct.Struct("<II")


class BadHeader(ValueError):
    """A file that does not begin like a segment of this format."""


class Unreadable(Struct, frozen=True, gc=False):
    """A frame whose bytes are whole and mean nothing to us: kept, reported, never guessed at."""

    payload: bytes
    reason: str


class Block(Struct, frozen=True, gc=False):
    """The frames of one loop tick and where the next block begins, in bytes from the start of the buffer."""

    frames: Sequence[Frame | Unreadable]
    end: int


_encoder = msgspec.msgpack.Encoder()
_frames = msgspec.msgpack.Decoder(list[Frame])
_frame: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)
_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])
_header = msgspec.msgpack.Decoder(Header)


def encode_frame(frame: Frame | Unreadable) -> bytes:
    """One frame alone, as it stands inside a block."""
    return frame.payload if isinstance(frame, Unreadable) else _encoder.encode(frame)


def encode_header(header: Header) -> bytes:
    """The first bytes of a segment."""
    return MAGIC + _sealed(_encoder.encode(header))


def decode_header(buffer: bytes) -> tuple[Header, int]:
    """The header of a segment and the offset of its first block; raises `BadHeader`."""
    if buffer[: len(MAGIC)] != MAGIC:
        raise BadHeader("no segment of this format" if buffer[:4] != MAGIC[:4] else "a segment of another version")
    payload = _payload(memoryview(buffer), len(MAGIC))
    if payload is None:
        raise BadHeader("the header is cut or damaged")
    try:
        return _header.decode(payload), len(MAGIC) + _PREFIX.size + len(payload)
    except msgspec.DecodeError as error:
        raise BadHeader(str(error)) from None


def encode_block(frames: Sequence[Frame]) -> bytes:
    """The bytes of one tick's frames: one block, or several where they exceed `BLOCK_MAX`.

    Raises `ValueError` for a single frame that is larger, `OverflowError` for an integer beyond 64 bits.
    """
    if not frames:
        return b""
    payload = _encoder.encode(frames)
    if len(payload) <= BLOCK_MAX:
        return _sealed(payload)
    if len(frames) == 1:
        raise ValueError(f"a frame of {len(payload)} bytes exceeds {BLOCK_MAX}")
    half = len(frames) // 2
    return encode_block(frames[:half]) + encode_block(frames[half:])


def block_size(buffer: bytes | memoryview) -> int:
    """How many bytes the block at the start of a buffer says it takes, prefix included; 0 where none can begin."""
    if len(buffer) < _PREFIX.size:
        return 0
    length: int = _PREFIX.unpack_from(buffer)[0]
    return _PREFIX.size + length if 0 < length <= BLOCK_MAX else 0


def decode_block(buffer: bytes | memoryview, offset: int) -> Block | None:
    """The block that begins at an offset; None at the end and at the first damage (`is_end` tells which)."""
    payload = _payload(memoryview(buffer), offset)
    if payload is None:
        return None
    return Block(_decoded(payload), offset + _PREFIX.size + len(payload))


def is_end(buffer: bytes | memoryview, offset: int) -> bool:
    """True where nothing was written from here on: the end of the buffer, or the zeros of a preallocated file."""
    return not any(memoryview(buffer)[offset : offset + _PREFIX.size])


def decode_blocks(buffer: bytes | memoryview, offset: int, most: int = 0) -> tuple[list[Frame | Unreadable], int, bool]:
    """The frames from an offset up to the first bad block, the offset behind them, and whether a clean end follows.

    With `most`, whole blocks until there are at least that many frames; "clean" then says that nothing bad was met.
    """
    frames: list[Frame | Unreadable] = []
    while not most or len(frames) < most:
        block = decode_block(buffer, offset)
        if block is None:
            return frames, offset, is_end(buffer, offset)
        frames += block.frames
        offset = block.end
    return frames, offset, True


def _sealed(payload: bytes) -> bytes:
    return _PREFIX.pack(len(payload), google_crc32c.value(payload)) + payload


def _payload(view: memoryview, offset: int) -> bytes | None:
    start = offset + _PREFIX.size
    if start > len(view):
        return None
    length, crc = _PREFIX.unpack_from(view, offset)
    if not 0 < length <= min(BLOCK_MAX, len(view) - start):
        return None
    payload = bytes(view[start : start + length])
    return payload if google_crc32c.value(payload) == crc else None


def _decoded(payload: bytes) -> Sequence[Frame | Unreadable]:
    try:
        return _frames.decode(payload)
    except msgspec.DecodeError:
        return _one_by_one(payload)


def _one_by_one(payload: bytes) -> list[Frame | Unreadable]:
    """A frame that cannot be read costs itself, not its neighbours."""
    try:
        raws = _raws.decode(payload)
    except msgspec.DecodeError as error:
        return [Unreadable(payload, str(error))]
    return [_or_unreadable(bytes(raw)) for raw in raws]


def _or_unreadable(raw: bytes) -> Frame | Unreadable:
    try:
        return _frame.decode(raw)
    except msgspec.DecodeError as error:
        return Unreadable(raw, str(error))
