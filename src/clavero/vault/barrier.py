"""The barrier: what is stored is sealed, and opens only as the thing it was sealed as.

    box      = commitment (16) | nonce (12) | AES-256-GCM ciphertext and tag
    envelope = "CV1" | u16 length of the wrapped data key | box(tenant key, data key) | box(data key, secret)

The additional data binds format, purpose, tenant, id, version, root-key id and origin: a cell that was swapped with
another, or a provider's key that is opened for another host, is refused. The commitment is checked first, since GCM
alone lets one ciphertext open under two keys (Albertini et al. 2022, "How to abuse and fix authenticated encryption
without key commitment").
"""

import hashlib
import hmac
import os
import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from clavero.domain.organisation import ORGANISATION
from clavero.domain.secret import Secret

_FORMAT = b"CV1"
_COMMITMENT = 16
_NONCE = 12
_KEY = 32


class About(Struct, frozen=True, array_like=True):
    """What a sealed cell is: it opens as nothing else."""

    purpose: str
    id: str
    version: int
    origin: str = ""
    tenant: str = ORGANISATION


class CannotOpen(Exception):
    """A sealed cell is damaged, was moved, or belongs to another key."""


def box(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Encrypt under a key, bound to additional data."""
    nonce = os.urandom(_NONCE)
    return _commit(key, nonce) + nonce + AESGCM(key).encrypt(nonce, plain, bound)


def unbox(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Decrypt a box; `CannotOpen` where anything differs."""
    commitment, nonce, cipher = _split(sealed)
    if not hmac.compare_digest(commitment, _commit(key, nonce)):
        raise CannotOpen("sealed under another key")
    try:
        return AESGCM(key).decrypt(nonce, cipher, bound)
    except InvalidTag:
        raise CannotOpen("damaged, or sealed as something else") from None


class Barrier:
    """Seals and opens secrets under the tenants' keys."""

    def __init__(self, root_id: str, tenants: dict[str, bytes]) -> None:
        self._root_id = root_id
        self._tenants = tenants

    def seal(self, secret: Secret, about: About) -> bytes:
        """The envelope of a secret: one data key for each version of each secret."""
        bound = self._bound(about)
        data_key = os.urandom(_KEY)
        wrapped = box(self._tenant(about), data_key, bound)
        return _FORMAT + struct.pack("<H", len(wrapped)) + wrapped + box(data_key, secret.reveal().encode(), bound)

    def open(self, sealed: bytes, about: About) -> Secret:
        """The secret in an envelope; `CannotOpen` where it was sealed as something else."""
        if sealed[:3] != _FORMAT or len(sealed) < 5:
            raise CannotOpen("not an envelope of this format")
        (length,) = struct.unpack("<H", sealed[3:5])
        bound = self._bound(about)
        data_key = unbox(self._tenant(about), sealed[5 : 5 + length], bound)
        return Secret(unbox(data_key, sealed[5 + length :], bound).decode())

    def _tenant(self, about: About) -> bytes:
        try:
            return self._tenants[about.tenant]
        except KeyError:
            raise CannotOpen(f"there is no key of tenant {about.tenant}") from None

    def _bound(self, about: About) -> bytes:
        return _FORMAT + msgspec.msgpack.encode((about, self._root_id))


def _commit(key: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, b"clavero commitment" + nonce, hashlib.sha256)[:_COMMITMENT]


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    if len(sealed) < _COMMITMENT + _NONCE + 16:
        raise CannotOpen("cut")
    return sealed[:_COMMITMENT], sealed[_COMMITMENT : _COMMITMENT + _NONCE], sealed[_COMMITMENT + _NONCE :]
