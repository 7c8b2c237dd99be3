"""Which read segments of the journals stay, because a backup would need them after a restore (L26)."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

_MARGIN_NS = 60 * 1_000_000_000  # between the clocks of two machines


class Pin(Struct, frozen=True):
    """A backup: when it was made, and the segment that each open boot was read up to; others had ended."""

    id: str
    made_ns: int
    boots: Mapping[str, int]


def pinned(pins: Sequence[Pin], boot: str, number: int, written_ns: int) -> bool:
    """Whether a segment holds something that a backup does not know; `written_ns` is when it was written last."""
    return any(
        number >= pin.boots[boot] if boot in pin.boots else written_ns >= pin.made_ns - _MARGIN_NS for pin in pins
    )
