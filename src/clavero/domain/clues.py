"""What a found secret, or a piece of one, says about which it is: its public id, its last four characters, a name.

Of a secret itself nothing is stored but a digest, so a piece from the middle of one tells nothing.
"""

import re

from msgspec import Struct

from clavero.domain import tokens
from clavero.domain.keys import Kid
from clavero.domain.refusals import InvalidValue
from clavero.domain.secret import Secret

SHORTEST, LONGEST = 4, 8192
_WHOLE = re.compile(r"clv[katbw]_[a-z0-9]{2,8}_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", re.ASCII)
_KID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{12}(?![0-9A-Za-z])", re.ASCII)
_WORD = re.compile(r"[\w.@/-]{4,}")


class Clue(Struct, frozen=True):
    """What to look for; "" is nothing. `token` is a whole key of ours, whose digest can be compared."""

    token: Secret | None = None
    kid: Kid = Kid("")
    tail: str = ""  # the last four characters
    word: str = ""  # a piece of a name or of a public id


def read_clue(text: str) -> Clue:
    """What a text holds; `InvalidValue` for one that is too short or too long to tell anything."""
    if len(text) > LONGEST:
        raise InvalidValue("fragment", f"at most {LONGEST} characters", "the key alone")
    if found := _WHOLE.search(text):
        shape = tokens.read(found[0])
        return Clue(Secret(found[0]), shape.kid if shape else Kid(""))
    words = _WORD.findall(text)
    word = max(words, key=len, default="")
    if len(word) < SHORTEST:
        raise InvalidValue("fragment", f"at least {SHORTEST} letters or digits", "the end of the key, or its id")
    kid = _KID.search(text.replace("_", " "))
    return Clue(kid=Kid(kid[0]) if kid else Kid(""), tail=word[-4:], word=word)
