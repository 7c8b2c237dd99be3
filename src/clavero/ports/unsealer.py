"""Who holds the seal."""

from typing import Protocol


class Unsealer(Protocol):
    """Who holds the seal: the supervisor, over inherited pipes. `ConnectionError` says why a wish is not done now."""

    @property
    def kind(self) -> str:
        """How the root keys are wrapped: `file`, `passphrase`."""
        ...

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The root keys that are held now, oldest first."""
        ...

    async def add_root(self) -> None:
        """Return when the seal and every process of this machine hold a new root key behind the one that was there."""
        ...

    async def keep_root(self, name: str, seq: int) -> None:
        """Return when every other root key is destroyed; not before every worker has applied change `seq`."""
        ...
