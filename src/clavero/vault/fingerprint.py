"""Fingerprints of our own keys: HMAC-SHA256 under a pepper. 256 random bits need no slow hash."""

import hashlib
import hmac


class Fingerprints:
    """Digests under the peppers of this installation, by their version."""

    def __init__(self, peppers: dict[int, bytes]) -> None:
        self._keyed = {version: hmac.new(pepper, None, hashlib.sha256) for version, pepper in peppers.items()}
        self.newest = max(peppers, default=0)
        self._nobody = bytes(hashlib.sha256().digest_size)

    def digest(self, token: str, pepper: int) -> bytes:
        """The fingerprint of a key; KeyError where the pepper is not known."""
        keyed = self._keyed[pepper].copy()  # a copy costs half of keying anew
        keyed.update(token.encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def same(self, token: str, pepper: int, digest: bytes) -> bool:
        """Whether this key has this fingerprint, compared in constant time."""
        return pepper in self._keyed and hmac.compare_digest(self.digest(token, pepper), digest)

    def stranger(self, token: str) -> None:
        """Do for an unknown key what is done for a known one, so that time does not tell them apart."""
        self.same(token, self.newest, self._nobody)
