"""The seal for the verbs of the command line that open a vault without a supervisor: they look, and never change it."""

from collections.abc import Iterable

from clavero.domain.startup import StartFailure


class Held:
    """Root keys that were handed in; none for a desk whose vault stays closed."""

    def __init__(self, roots: Iterable[bytes] = ()) -> None:
        self.kind = "file"
        self.roots = tuple(roots)

    def __repr__(self) -> str:
        return f"Held({len(self.roots)} keys)"

    async def add_root(self) -> None:
        """Not here."""
        raise _not_here()

    async def keep_root(self, name: str, seq: int) -> None:  # noqa: ARG002 - the port names them
        """Not here."""
        raise _not_here()


def _not_here() -> StartFailure:
    return StartFailure("not_running", "the seal is changed by a running clavero alone", "clavero up")
