"""The control plane's memory: a look, a look that may change, a transaction."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Struct)


class Reading(Protocol):
    """A consistent look at the stored objects. Objects are the frozen structs of `domain`, one table per type."""

    async def get(self, kind: type[T], identity: str) -> T | None: ...
    async def find(self, kind: type[T], **equal: object) -> list[T]: ...
    async def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Rows of a query that the adapter knows by this name, never of SQL made by the planes."""
        ...


class Writing(Reading, Protocol):
    """A look that may also change. Only `control/commit` takes one."""

    def name_of(self, thing: Struct) -> tuple[str, str]:
        """The kind and id of an object, as the change log says them."""
        ...

    async def put(self, thing: Struct) -> None: ...
    async def put_all(self, things: Sequence[Struct]) -> None:
        """Create or replace objects of one kind, at least one, in one statement."""
        ...

    async def delete(self, kind: type[Struct], identity: str) -> None: ...
    async def log(self, kind: str, identity: str, at_ns: int) -> None:
        """Add a row to the change log; workers hear of it once this transaction is committed."""
        ...

    async def log_all(self, names: Sequence[tuple[str, str]], at_ns: int) -> None:
        """Add a row for each kind and id, at least one."""
        ...

    async def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest audit row, locked until this transaction ends: the chain cannot fork."""
        ...

    async def run(self, statement: str, **values: object) -> None:
        """Run a statement that the adapter knows by this name."""
        ...


class Store(Protocol):
    """The control plane's database."""

    def read(self) -> AbstractAsyncContextManager[Reading]: ...
    def write(self) -> AbstractAsyncContextManager[Writing]:
        """One transaction; another one begins only when it is over."""
        ...

    async def close(self) -> None: ...
