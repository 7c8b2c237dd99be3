"""Who signs checkpoints: Ed25519 keys whose seeds lie in the vault, the newest to sign, all of them to check with."""

from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Signer:
    """Signs with the newest seed; `seeds` are 32 bytes each, by version."""

    def __init__(self, seeds: Mapping[int, bytes]) -> None:
        if not seeds:
            raise ValueError("there is no signing key")
        self._key = Ed25519PrivateKey.from_private_bytes(seeds[max(seeds)])
        self.public = _public(self._key)
        self.all = frozenset(_public(Ed25519PrivateKey.from_private_bytes(seed)) for seed in seeds.values())

    def __repr__(self) -> str:
        return f"Signer({self.public[:8]})"

    def sign(self, statement: bytes) -> str:
        """The signature of a statement, hex."""
        return self._key.sign(statement).hex()


class Trusted:
    """Believes the signatures of these public keys (hex) and of no other."""

    def __init__(self, publics: Iterable[str]) -> None:
        self._keys = {public: Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)) for public in publics}

    def __call__(self, signer: str, statement: bytes, signature: bytes) -> bool:
        """Whether this signer is one of them, and signed this."""
        key = self._keys.get(signer)
        if key is None:
            return False
        try:
            key.verify(signature, statement)
        except InvalidSignature:
            return False
        return True


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()
