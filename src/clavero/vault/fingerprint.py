"""What is stored of a token: HMAC-SHA256(pepper, token), and the comparison that takes the same time for everybody.

A token has 256 random bits, so no slow hash is needed; the pepper keeps a stolen table from being tested against tokens
seen elsewhere. Nothing is remembered by token: a cache would be a second place to revoke from.
"""

import hmac
from collections.abc import Mapping


class Fingerprints:
    """The peppers, each as a keyed object that is copied for every token: half the price of keying anew."""

    def __init__(self, peppers: Mapping[int, bytes]) -> None:
        if not peppers:
            raise ValueError("there is no pepper")
        self._keyed = {version: hmac.new(pepper, digestmod="sha256") for version, pepper in peppers.items()}
        self.newest = max(peppers)
        self._dummy = self.digest("", self.newest)

    def __repr__(self) -> str:
        return f"Fingerprints({len(self._keyed)} peppers)"

    def digest(self, token: str, pepper: int) -> bytes:
        """The digest of a token under one pepper; what is new takes the `newest`."""
        keyed = self._keyed[pepper].copy()
        keyed.update(token.encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def same(self, token: str, pepper: int, digest: bytes) -> bool:
        """Whether a token has this digest; False for a pepper that is gone."""
        if pepper not in self._keyed:
            self.stranger(token)
            return False
        return hmac.compare_digest(self.digest(token, pepper), digest)

    def stranger(self, token: str) -> None:
        """The work of a comparison, for a token that there is nothing to compare with."""
        hmac.compare_digest(self.digest(token, self.newest), self._dummy)
