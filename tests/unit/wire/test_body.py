"""Bodies are read once, faithfully or not at all, and a refusal says where."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.errors import MalformedJson
from clavero.wire.body import DEEPEST, decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.integers(-(10**400), 10**400) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=8)


def refusal(body: bytes) -> tuple[object, object, object]:
    with pytest.raises(MalformedJson) as caught:
        decode(body)
    facts = caught.value.facts
    return facts["line"], facts["column"], facts["what"]


def same(left: Any, right: Any) -> bool:
    """Equal in value, kind of number and order of members."""
    return repr(left) == repr(right)


@given(OBJECTS)
def test_what_was_read_is_what_is_written_members_in_order(value: dict[str, Any]) -> None:
    assert same(decode(encode(value)), value)
    assert same(json.loads(encode(decode(json.dumps(value).encode()))), value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_keeps_its_value_or_is_out_of_range(number: Decimal) -> None:
    body = b'{"a":%b}' % str(number).encode()
    if math.isinf(float(number)):
        assert refusal(body) == (1, 6, "number out of range")
        return
    again = json.loads(encode(decode(body)), parse_float=Decimal, parse_int=Decimal)
    assert again["a"] == number


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused_with_a_place(body: bytes) -> None:
    try:
        assert isinstance(decode(body), dict)
    except MalformedJson as error:
        refused = error
    else:
        return
    line, column = refused.facts["line"], refused.facts["column"]
    assert isinstance(line, int)
    assert isinstance(column, int)
    assert min(line, column) >= 1
    assert refused.facts["what"]


@given(OBJECTS, st.data())
def test_a_body_altered_in_one_place_is_read_or_refused_with_a_place(
    value: dict[str, Any], data: st.DataObject
) -> None:
    body = bytearray(encode(value))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at : at + 1] = data.draw(st.binary(max_size=3))
    try:
        tree = decode(bytes(body))
        assert same(decode(encode(tree)), tree)
    except MalformedJson:
        pass


@pytest.mark.requirement(33)
@pytest.mark.parametrize(
    ("body", "line", "column", "what"),
    [
        (b"", 1, 1, "the body is empty"),
        (b" \n ", 1, 1, "the body is empty"),
        (b"[1]", 1, 1, "the body must be an object"),
        (b"\n  7", 2, 3, "the body must be an object"),
        (b'"text"', 1, 1, "the body must be an object"),
        (b"\xef\xbb\xbf{}", 1, 1, "a byte order mark stands before the value"),
        (b'{"a":\n "\xff"}', 2, 3, "this is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', 1, 8, "this is not UTF-8"),
        (b'{"a": NaN}', 1, 7, "this is not a JSON number"),
        (b'{"a": [1, -Infinity]}', 1, 11, "this is not a JSON number"),
        (b'{"a": 1,\n "b": 1e400}', 2, 7, "number out of range"),
        (b'{"a": -9.5e999}', 1, 7, "number out of range"),
        (b'{"a": %b}' % (b"9" * 4301), 1, 7, "number out of range"),
        (b'{"a": "x\\ud800"}', 1, 9, "a surrogate stands alone"),
        (b'{"a": "\\ud83d\\ude00\\ude00"}', 1, 20, "a surrogate stands alone"),
        (b'{"a": "\\ud800\\ud83d\\ude00"}', 1, 8, "a surrogate stands alone"),
        (b'{"a": "\\\\ud800", "b": "\\udc00"}', 1, 24, "a surrogate stands alone"),
        (b'{"a": 1,\n "b": 2\n "c": 3}', 3, 2, "expecting ',' delimiter"),
        (b'{"a": 1} x', 1, 10, "extra data"),
        (b'{"a": 01}', 1, 8, "expecting ',' delimiter"),
        (b'{"a": "\x01"}', 1, 8, "invalid control character"),
        ('{"ñandú": "e\u0301" "x"}'.encode(), 1, 16, "expecting ',' delimiter"),
        (b'{"a": "open', 1, 7, "unterminated string"),
        (b'{"a" 1}', 1, 6, "expecting ':' delimiter"),
        (b"\x00{}", 1, 1, "expecting value"),
    ],
)
def test_a_malformed_body_is_refused_with_line_column_and_reason(
    body: bytes, line: int, column: int, what: str
) -> None:
    assert refusal(body) == (line, column, what)


@pytest.mark.parametrize("depth", [DEEPEST + 1, 5000, 200_000])
def test_nesting_too_deep_is_refused_where_it_becomes_too_deep(depth: int) -> None:
    where = (1, 6 + DEEPEST - 1, f"nested deeper than {DEEPEST} levels")
    assert refusal(b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}") == where
    assert refusal(b'{"a":' * depth + b"1" + b"}" * depth)[2] == where[2]
    assert refusal(b'{"a":' + b"[" * depth)[2] == where[2]


def test_nesting_as_deep_as_allowed_is_read_and_written() -> None:
    body = b'{"a":' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}"
    assert encode(decode(body)) == body


def test_many_brackets_side_by_side_are_not_deep() -> None:
    tree = decode(b'{"a":[' + b",".join([b"[{}]"] * 2000) + b"]}")
    assert len(tree["a"]) == 2000


def test_of_a_repeated_member_the_last_one_is_sent_and_no_other() -> None:
    assert encode(decode(b'{"model":"cheap","a":1,"model":"dear"}')) == b'{"model":"dear","a":1}'


def test_a_number_that_a_double_would_round_survives() -> None:
    body = b'{"a":0.1000000000000000055511151231257827,"b":123456789012345678901234567890,"c":-0.0}'
    assert encode(decode(body)) == body
    assert isinstance(decode(body)["a"], Decimal)


def test_usual_decimals_are_doubles() -> None:
    assert decode(b'{"temperature": 0.7, "top_p": 1e0, "x": 2.5e-3}') == {"temperature": 0.7, "top_p": 1.0, "x": 0.0025}
