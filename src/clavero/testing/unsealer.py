"""Whoever holds the seal, in memory: root keys that are made and destroyed at once.

`failing` is the reason for which the next wish is not done; `wishes` tells what was wanted.
"""

from collections.abc import Callable

from clavero.vault.keyring import RootKeys


class MemoryUnsealer:
    """The seal of a test."""

    def __init__(self, random: Callable[[int], bytes], roots: RootKeys | None = None) -> None:
        self.kind = "file"
        self.held = roots or RootKeys.of([random(32)])
        self.failing = ""
        self.wishes: list[str] = []
        self._random = random

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The root keys, oldest first."""
        return self.held.values

    async def add_root(self) -> None:
        """Make another root key, unless there are two already."""
        self._wanted("add")
        if len(self.held.keys) == 1:
            self.held = self.held.with_another(self._random)

    async def keep_root(self, name: str, seq: int) -> None:
        """Destroy the others."""
        self._wanted(f"keep {name} at {seq}")
        kept = self.held.named(name)
        self.held = RootKeys(kept) if kept is not None else self.held

    def _wanted(self, wish: str) -> None:
        self.wishes.append(wish)
        if self.failing:
            raise ConnectionError(self.failing)
