"""How the simulator counts: a text falls into pieces by one regular expression, and each piece is one token.

The pieces approximate a byte-level vocabulary: up to seven Latin letters, three digits or two signs, each with the
space before it; eight white characters; else a single character. Two rules matter more than closeness to any real
tokenizer: a text never counts more tokens than it has bytes, and the first k pieces of a text count k tokens, so that a
cap, a stream and a bill agree. The expression looks neither ahead nor behind; the second rule rests on that.
"""

import re
from functools import lru_cache

_PIECE = re.compile(r" ?[A-Za-z\u00c0-\u024f]{1,7}| ?[0-9]{1,3}| ?[!-/:-@\[-`{-~]{1,2}|\s{1,8}|.", re.DOTALL)
_LONGEST_REMEMBERED = 8192  # characters; longer texts are counted each time, so that memory stays small


def pieces(text: str) -> list[str]:
    """The pieces of a text, in order; joined they are the text again."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """Tokens of a text; 0 to its length in bytes."""
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else len(_PIECE.findall(text))


@lru_cache(maxsize=1024)
def _remembered(text: str) -> int:
    return len(_PIECE.findall(text))
