"""JSON bodies: decoded once, strictly, and always written again from the decoded value.

What is checked is therefore what is sent: of a repeated key the last one counts, and nobody downstream sees the
others. The value survives as it came: order of members, integers of any size, and decimals that a double would round
(kept as `Decimal`). What cannot be read that faithfully is refused with its line and column. The place is looked for
only once a body is known to be bad.
"""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from clavero.domain.errors import MalformedJson

Tree = dict[str, Any]

DEEPEST = 500  # levels; half of what the interpreter's stack bears, so that whatever was read can also be written
_SHORTEST_TOO_DEEP = 2 * DEEPEST  # bytes: every level has to open and to close
_LONG = 16_384  # bytes
_EXACT = 16  # characters: 15 digits and a point, which a double always gives back as they were
_LONGEST_INTEGER = 4300  # digits; Python's own guard against quadratic conversion
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"?|-?Infinity|NaN|-?[0-9]+(?P<real>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|[\[{]|[\]}]', re.DOTALL
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_BYTE = re.compile(r"\(byte (\d+)\)")
_Place = tuple[int, str]  # index of a character, and what is wrong there


def _real(text: str) -> float | Decimal:
    if len(text) <= _EXACT and "e" not in text and "E" not in text:
        return float(text)
    nearest = float(text)
    if math.isinf(nearest):
        raise ValueError("number out of range")
    exact = Decimal(text)
    return nearest if exact == Decimal(repr(nearest)) else exact


_DECODER = msgspec.json.Decoder(float_hook=_real)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
encode = _ENCODER.encode  # any decoded value, or one made of the same types, to compact UTF-8


def decode(body: bytes) -> Tree:
    """The JSON object that a body holds; `MalformedJson` with the place of what is wrong."""
    try:
        tree = _DECODER.decode(body)
    except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError) as error:
        _refuse(body, str(error))
    if type(tree) is not dict:
        _refuse(body, "")
    if len(body) >= _SHORTEST_TOO_DEEP and _may_be_deep(body) and _too_deep(tree):
        _refuse(body, "")
    return tree


def _may_be_deep(body: bytes) -> bool:
    """Counting brackets settles it for most; a long body is looked at level by level sooner than counted."""
    return len(body) > _LONG or body.count(b"[") + body.count(b"{") > DEEPEST


def _too_deep(tree: Tree) -> bool:
    level: list[Any] = [tree]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _refuse(body: bytes, error: str) -> NoReturn:
    """Raise for a body that is known to be bad."""
    try:
        text = body.decode()
    except UnicodeDecodeError as bad:
        text = body[: bad.start].decode()
        index, what = len(text), "this is not UTF-8"
    else:
        index, what = _locate(text) or _unlocated(body, error)
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    raise MalformedJson(line=line, column=column, what=what) from None


def _locate(text: str) -> _Place | None:
    if text.startswith("\ufeff"):
        return 0, "a byte order mark stands before the value"
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if start == len(text):
        return 0, "the body is empty"
    places = [place for place in (_bad_token(text), _bad_grammar(text)) if place]
    if places:
        return min(places)
    return None if text[start] == "{" else (start, "the body must be an object")


def _bad_token(text: str) -> _Place | None:
    """The first thing that the grammar would pass and we do not."""
    depth = 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece in "[{":
            depth += 1
            if depth > DEEPEST:
                return match.start(), f"nested deeper than {DEEPEST} levels"
        elif piece in "]}":
            depth -= 1
        elif piece[0] == '"':
            if "\\u" in piece and (lone := next(_lone_surrogates(piece), None)) is not None:
                return match.start() + lone, "a surrogate stands alone"
        elif piece in ("NaN", "Infinity", "-Infinity"):
            return match.start(), "this is not a JSON number"
        elif _out_of_range(piece, match.group("real")):
            return match.start(), "number out of range"
    return None


def _out_of_range(number: str, real: str) -> bool:
    return math.isinf(float(number)) if real else len(number.lstrip("-")) > _LONGEST_INTEGER


def _lone_surrogates(quoted: str) -> Iterator[int]:
    high: int | None = None  # where a first half was, until its second comes
    for match in _ESCAPE.finditer(quoted):
        code = int(match.group(1), 16) if match.group(1) else 0
        follows = high is not None and match.start() == high + 6
        if 0xDC00 <= code <= 0xDFFF and follows:
            high = None
            continue
        if high is not None:
            yield high
        high = match.start() if 0xD800 <= code <= 0xDBFF else None
        if 0xDC00 <= code <= 0xDFFF:
            yield match.start()
    if high is not None:
        yield high


def _bad_grammar(text: str) -> _Place | None:
    try:
        json.loads(text, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" starting at").removesuffix(" at")
        return error.pos, what[0].lower() + what[1:]
    except (ValueError, RecursionError):
        return None  # found by its token
    return None


def _unlocated(body: bytes, error: str) -> _Place:
    """Where the reader itself says it stopped; it counts bytes."""
    match = _BYTE.search(error)
    index = len(body[: int(match.group(1))].decode(errors="ignore")) if match else 0
    return index, "this cannot be read"
