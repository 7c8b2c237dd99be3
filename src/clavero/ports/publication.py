"""How workers learn what the control plane changed."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Struct)


class Change(Struct, frozen=True):
    """One row of the change log: the object with this kind and id is new, changed or gone."""

    seq: int
    kind: str
    id: str


class Publication(Protocol):
    """How a worker learns of changes. Blocking: called in a thread of its own."""

    def load(self) -> tuple[int, Mapping[type[Struct], Sequence[Struct]]]:
        """Everything that workers need, and the sequence number it is as of."""
        ...

    def wait(self, after: int, seconds: float) -> Sequence[Change]:
        """The changes after a number, at once or when one comes; none when time is up; `Behind` where some are gone."""
        ...

    def fetch(self, kind: type[T], ids: Sequence[str]) -> Sequence[T]:
        """The objects of a kind that still exist among these ids."""
        ...

    def every(self, kind: type[T]) -> Sequence[T]: ...  # of a kind that has few

    def close(self) -> None: ...
