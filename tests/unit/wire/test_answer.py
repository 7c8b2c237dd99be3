"""Figures are a provider's word: believed where plausible, split so that no token is paid twice."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import Tokens
from clavero.wire.answer import Stream, count, lenient, member, split, whole

FIGURES = st.integers(-5, 2_000_000_000) | st.none() | st.text(max_size=3) | st.floats() | st.booleans()


@given(FIGURES, FIGURES, FIGURES, FIGURES, FIGURES, FIGURES)
def test_kinds_never_overlap_and_never_go_below_nothing(
    inputs: Any, outputs: Any, cached: Any, written: Any, reasoning: Any, total: Any
) -> None:
    tokens = split(inputs, outputs, cached=cached, cache_write=written, reasoning=reasoning, total=total)
    if count(inputs) is None or count(outputs) is None:
        assert tokens is None
        return
    assert tokens is not None
    assert min(tokens.input, tokens.cached, tokens.cache_write, tokens.output, tokens.reasoning) >= 0
    assert tokens.all_input == inputs
    assert tokens.all_output in (outputs, outputs + (count(reasoning) or 0))


@pytest.mark.parametrize("value", [-1, True, None, "7", 1.5, float("inf"), 10**10, [], {}])
def test_what_is_no_plausible_count_is_as_if_not_said(value: object) -> None:
    assert count(value) is None


def test_a_whole_number_written_as_a_decimal_counts() -> None:
    assert count(12.0) == 12


def test_reasoning_counted_beside_the_output_is_told_by_the_total() -> None:
    assert split(10, 5, reasoning=7, total=22) == Tokens(10, 0, 0, 5, 7)
    assert split(10, 12, reasoning=7, total=22) == Tokens(10, 0, 0, 5, 7)


def test_a_member_of_what_is_no_object_is_nothing() -> None:
    assert member([], "a") is member(None, "a") is member({}, "a") is None


class _Shape(msgspec.Struct):
    n: int = 0


def test_json_of_another_shape_is_not_malformed_json() -> None:
    decoder = msgspec.json.Decoder(_Shape)
    assert lenient(decoder, b'{"n":"text"}') is None
    with pytest.raises(msgspec.DecodeError):
        lenient(decoder, b'{"n":"text"')
    for body in (b"<html>", b"", b'{"n":"text"}', b"[]"):
        with pytest.raises(BadAnswer):
            whole(decoder, body)


def test_a_cut_stream_is_charged_for_the_output_that_was_seen() -> None:
    assert Stream().observed is None
    stream = Stream()
    stream.tokens = Tokens(100, 0, 0, 1)
    for _ in range(10):
        stream.hear("a piece of text ")
    stream.hear("")
    stream.hear(None)
    assert stream.estimated_output == 40
    assert stream.observed == Tokens(100, 0, 0, 40)
    stream.done = True
    assert stream.observed == Tokens(100, 0, 0, 1)


def test_many_small_pieces_are_at_least_a_token_each() -> None:
    stream = Stream()
    for _ in range(9):
        stream.hear("a")
    assert stream.estimated_output == 9


def test_the_stream_of_no_format_reads_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Stream().read(b"{}")
