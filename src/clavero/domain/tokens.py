"""The format of our own keys: `clv<kind>_<env>_<kid>_<secret><crc>`.

kind: k virtual key, a admin token, t client token, b bootstrap link, w webhook. env: 2 to 8 of `[a-z0-9]`. kid: 12
base62 digits, public. secret: 32 random bytes as 43 base62 digits, big-endian, padded on the left. crc: CRC-32 (IEEE)
of every byte before it as 6 base62 digits. The alphabet is `0-9A-Za-z`.
"""

import re
import zlib
from typing import Final, Literal

from msgspec import Struct

from clavero.domain.keys import Kid
from clavero.domain.secret import Secret

Kind = Literal["k", "a", "t", "b", "w"]

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"clv([katbw])_([a-z0-9]{2,8})_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}")
_PROVIDERS: Final = ("sk-", "sk_", "pplx-", "AIza", "gsk_", "xai-", "hf_")

KID_BYTES: Final = 9  # 62^12 is a little less than 2^72: the remainder is taken
SECRET_BYTES: Final = 32


class Shape(Struct, frozen=True):
    """What a key says of itself before its secret is looked at."""

    kind: str
    env: str
    kid: str


def read(text: str) -> Shape | None:
    """The parts of a well-formed key; None for anything else. The checksum is not looked at."""
    found = _SHAPE.fullmatch(text)
    return Shape(found.group(1), found.group(2), found.group(3)) if found else None


def checksum_ok(text: str) -> bool:
    """Whether the last six digits are the checksum of what stands before them."""
    return text.isascii() and _checksum(text[:-6]) == text[-6:]


def mint(kind: Kind, env: str, kid: Kid, secret: bytes) -> Secret:
    """A key from 32 random bytes; ValueError where there are not so many."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a key is made of {SECRET_BYTES} random bytes")
    body = f"clv{kind}_{env}_{kid}_{base62(int.from_bytes(secret, 'big'), 43)}"
    return Secret(body + _checksum(body))


def new_kid(random: bytes) -> Kid:
    """A public id from random bytes."""
    return Kid(base62(int.from_bytes(random, "big") % 62**12, 12))


def base62(number: int, width: int) -> str:
    """A number in base 62, padded with zeros on the left."""
    digits = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits)).rjust(width, "0")


def provider_key(text: str) -> bool:
    """Whether this looks like a provider's own key, sent here by mistake."""
    return text.startswith(_PROVIDERS)


def _checksum(text: str) -> str:
    return base62(zlib.crc32(text.encode("ascii")), 6)
