"""The text of our keys: `clv<kind>_<env>_<kid>_<secret><crc>`.

The kid is public: it names the key in logs and lists. The secret is 32 random bytes as 43 base-62 digits; the check sum
(CRC-32, IEEE, of every byte before it) tells a cut or mistyped key from an unknown one without any look-up, and lets a
scanner tell ours from chance. It protects nothing: the secret does.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from zlib import crc32

from msgspec import Struct

from clavero.domain.keys import Kid
from clavero.domain.secret import Secret

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KID, _SECRET, _SUM = 12, 43, 6
_SHAPE = re.compile(r"clv([katbw])_([a-z0-9]{2,8})_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}", re.ASCII)
_ENVIRONMENT = re.compile(r"[a-z0-9]{2,8}", re.ASCII)

# Azure's older keys are 32 hex digits: like nothing of ours, and like little else.
_PROVIDERS = (
    ("anthropic", re.compile(r"sk-ant-[\w-]{8,}", re.ASCII)),
    ("openrouter", re.compile(r"sk-or-[\w-]{8,}", re.ASCII)),
    ("openai", re.compile(r"(?:sk-|sess-)[\w-]{8,}", re.ASCII)),
    ("gemini", re.compile(r"(?:AIza|AQ\.)[\w-]{20,}", re.ASCII)),
    ("perplexity", re.compile(r"pplx-\w{8,}", re.ASCII)),
    ("groq", re.compile(r"gsk_\w{8,}", re.ASCII)),
    ("xai", re.compile(r"xai-\w{8,}", re.ASCII)),
    ("huggingface", re.compile(r"hf_\w{8,}", re.ASCII)),
    ("azure", re.compile(r"[0-9a-f]{32}|[0-9A-Za-z]{52}JQQJ99[0-9A-Za-z]{26}", re.ASCII)),
)


class Kind(StrEnum):
    """What a token opens."""

    VIRTUAL_KEY = "k"
    ADMIN = "a"
    CLIENT = "t"
    BOOTSTRAP = "b"
    WEBHOOK = "w"


class Shape(Struct, frozen=True, gc=False):
    """What can be read from a token without knowing it; `kind` is a value of `Kind`."""

    kind: str
    env: str
    kid: Kid


def mint(kind: Kind, env: str, random_bytes: Callable[[int], bytes]) -> tuple[Kid, Secret]:
    """A new token and its public id; `env` is 2 to 8 of `[a-z0-9]`, `random_bytes` gives so many unpredictable ones."""
    kid = Kid(base62(int.from_bytes(random_bytes(16)) % 62**_KID, _KID))
    return kid, mint_for(kind, env, kid, random_bytes)


def mint_for(kind: Kind, env: str, kid: Kid, random_bytes: Callable[[int], bytes]) -> Secret:
    """Another token for a public id that there is: the next version of a key."""
    if not _ENVIRONMENT.fullmatch(env):
        raise ValueError("the environment of a token is 2 to 8 of a-z and 0-9")
    body = f"clv{kind}_{env}_{kid}_{base62(int.from_bytes(random_bytes(32)), _SECRET)}"
    return Secret(body + _checksum(body))


def read(text: str) -> Shape | None:
    """The parts of a token that are public, where the text has the shape of one of ours."""
    found = _SHAPE.fullmatch(text)
    return Shape(found[1], found[2], Kid(found[3])) if found else None


def checksum_ok(text: str) -> bool:
    """Whether a text of the right shape was copied whole."""
    return text.isascii() and _checksum(text[:-_SUM]) == text[-_SUM:]


def provider_key(text: str) -> str:
    """Whose key this looks like (openai, anthropic, gemini …); "" where it is no provider's that we know."""
    return next((provider for provider, form in _PROVIDERS if form.fullmatch(text)), "")


def base62(number: int, width: int) -> str:
    """A number in base 62, padded on the left; OverflowError where it does not fit."""
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    if number:
        raise OverflowError(f"the number has more than {width} digits in base 62")
    return digits


def _checksum(body: str) -> str:
    return base62(crc32(body.encode()), _SUM)
