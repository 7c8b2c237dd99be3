"""One sealed thing: AES-256-GCM that opens only with its own key and in its own place.

A box is `nonce (12) | commitment (32) | ciphertext and tag`. GCM alone does not commit to a key: a ciphertext can be
made that opens under two of them. The commitment, HMAC-SHA256 under a key derived for it over nonce and additional
data, does, and is compared first: a wrong key or a wrong place is refused before anything is decrypted.
"""

import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Random = Callable[[int], bytes]  # so many unpredictable bytes

KEY = 32
_NONCE = 12
_COMMITMENT = 32
_TAG = 16
OVERHEAD = _NONCE + _COMMITMENT + _TAG


class CannotOpen(Exception):
    """A sealed value does not open here: it was moved, cut or altered, or it belongs to another key."""


def lock(key: bytes, plain: bytes, place: bytes, random: Random) -> bytes:
    """Seal bytes under a 256-bit key for one place (the additional data)."""
    nonce = random(_NONCE)
    return nonce + _commitment(key, nonce, place) + AESGCM(_derived(key, b"encrypt")).encrypt(nonce, plain, place)


def unlock(key: bytes, box: bytes, place: bytes) -> bytes:
    """What was sealed under this key for this place; `CannotOpen` for everything else."""
    if len(box) < OVERHEAD:
        raise CannotOpen("it was cut")
    nonce, committed, body = box[:_NONCE], box[_NONCE : _NONCE + _COMMITMENT], box[_NONCE + _COMMITMENT :]
    if not hmac.compare_digest(committed, _commitment(key, nonce, place)):
        raise CannotOpen("it was sealed by another key or for another place")
    try:
        return AESGCM(_derived(key, b"encrypt")).decrypt(nonce, body, place)
    except InvalidTag:
        raise CannotOpen("it was altered") from None


def spell(*parts: str | int) -> bytes:
    """Additional data of these parts; each carries its length, so that no two lists spell the same bytes."""
    spelt = [str(part).encode() for part in parts]
    return b"".join(len(part).to_bytes(4) + part for part in spelt)


def _commitment(key: bytes, nonce: bytes, place: bytes) -> bytes:
    return hmac.digest(_derived(key, b"commit"), nonce + place, "sha256")


def _derived(key: bytes, use: bytes) -> bytes:
    """A key of its own for each use (HKDF-Expand of one block, RFC 5869 section 2.3)."""
    if len(key) != KEY:
        raise ValueError("a key of the vault has 32 bytes")
    return hmac.digest(key, b"clavero/box/1/" + use + b"\x01", "sha256")
