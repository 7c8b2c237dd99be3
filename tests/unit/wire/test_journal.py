"""The journal's bytes: whatever is torn or flipped costs its own block, and nothing is ever invented."""

import msgspec
import pytest

from clavero.domain.usage import Exchange, Tokens
from clavero.wire import journal
from clavero.wire.journal import (
    BLOCK_MAX,
    MAGIC,
    BadHeader,
    Frame,
    Header,
    Hold,
    Pulse,
    Record,
    Seal,
    Settle,
    Unreadable,
    decode_block,
    decode_blocks,
    decode_header,
    encode_block,
    encode_header,
)

EXCHANGE = Exchange("req_1", 5, key_id="0123456789AB", tokens=Tokens(3, output=4), cost_n=7)
TICK: list[Frame] = [
    Hold("req_1", 5, (("key/0123456789AB:day", 86_400, 10),)),
    Settle("req_1", (("key/0123456789AB:day", 86_400, 7, 7),), "", EXCHANGE),
    Record(Exchange("req_2", 6, outcome="refused")),
    Pulse(1, 2, 3, 4, 5, 6),
    Seal(9),
]


def test_what_is_encoded_is_decoded() -> None:
    data = encode_block(TICK) + encode_block(TICK[:1])
    assert decode_blocks(data, 0) == (TICK + TICK[:1], len(data), True)


def test_nothing_to_write_is_no_block() -> None:
    assert encode_block([]) == b""
    assert decode_blocks(b"", 0) == ([], 0, True)


@pytest.mark.requirement(1)
def test_a_block_torn_at_any_byte_is_dropped_whole_and_the_one_before_it_stays() -> None:
    first, second = encode_block(TICK[:2]), encode_block(TICK[2:])
    for kept in range(len(second)):
        frames, end, clean = decode_blocks(first + second[:kept], 0)
        assert (frames, end) == (TICK[:2], len(first))
        assert clean is (kept == 0)


def test_a_flipped_bit_anywhere_is_noticed() -> None:
    first, second = encode_block(TICK[:2]), encode_block(TICK[2:])
    for bit in range(8 * len(second)):
        damaged = bytearray(first + second)
        damaged[len(first) + bit // 8] ^= 1 << bit % 8
        assert decode_blocks(bytes(damaged), 0) == (TICK[:2], len(first), False)


def test_the_zeros_of_a_preallocated_segment_are_its_end() -> None:
    data = encode_block(TICK)
    assert decode_blocks(data + bytes(4096), 0) == (TICK, len(data), True)


def test_a_turn_ends_behind_a_whole_block() -> None:
    data = encode_block(TICK[:2]) + encode_block(TICK[2:])
    frames, end, clean = decode_blocks(data, 0, most=1)
    assert (frames, clean) == (TICK[:2], True)
    assert decode_blocks(data, end)[0] == TICK[2:]


def test_a_frame_that_means_nothing_costs_only_itself() -> None:
    strange = ["z", 1]
    payload = msgspec.msgpack.encode([TICK[0], strange, TICK[4]])
    frames, _, clean = decode_blocks(journal._sealed(payload), 0)
    assert frames[0::2] == [TICK[0], TICK[4]]
    assert isinstance(frames[1], Unreadable)
    assert frames[1].payload == msgspec.msgpack.encode(strange)
    assert "z" in frames[1].reason
    assert clean


def test_a_payload_that_is_no_array_is_one_unreadable_frame() -> None:
    for payload in (b"\xc1", msgspec.msgpack.encode("text"), msgspec.msgpack.encode([1])[:-1]):
        block = decode_block(journal._sealed(payload), 0)
        assert block is not None
        assert [type(frame) for frame in block.frames] == [Unreadable]


def test_ticks_beyond_the_limit_become_several_blocks() -> None:
    large: list[Frame] = [Record(Exchange(f"req_{n}", n, peer="x" * (BLOCK_MAX // 2))) for n in range(3)]
    data = encode_block(large)
    assert decode_blocks(data, 0) == (large, len(data), True)
    block = decode_block(data, 0)
    assert block is not None
    assert block.end < len(data)


def test_one_frame_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds"):
        encode_block([Record(Exchange("req_1", 1, peer="x" * BLOCK_MAX))])


HEADER = Header("b" * 32, "w1", 3, 2, 4711)


def test_a_header_comes_back_with_the_place_of_the_first_block() -> None:
    data = encode_header(HEADER)
    assert decode_header(data + encode_block(TICK)) == (HEADER, len(data))
    assert decode_blocks(data + encode_block(TICK), len(data))[0] == TICK


def test_a_header_that_is_cut_flipped_foreign_or_of_another_version_is_refused() -> None:
    data = encode_header(HEADER)
    for cut in range(len(data)):
        with pytest.raises(BadHeader):
            decode_header(data[:cut])
    for place in range(len(data)):
        with pytest.raises(BadHeader):
            decode_header(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
    with pytest.raises(BadHeader, match="another version"):
        decode_header(MAGIC[:-1] + b"\x02" + data[len(MAGIC) :])
    with pytest.raises(BadHeader, match="no segment"):
        decode_header(bytes(64))
    with pytest.raises(BadHeader, match="array"):
        decode_header(MAGIC + journal._sealed(msgspec.msgpack.encode({})))
