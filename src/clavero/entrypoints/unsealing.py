"""The supervisor's part in re-keying: it alone holds the seal, makes and destroys root keys, and hands them out.

A new root key is on the disk, in the seal, before anybody is told of it, and in every child before the control plane
seals anything under it. An old one is destroyed when nothing is sealed under it and every worker has seen that. A child
that starts meanwhile is given what the seal holds by then. So whichever process dies, whoever starts can open what is
stored.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from clavero.domain.startup import StartFailure
from clavero.entrypoints.processes import AddRoot, KeepRoot, Order, Roots, Settled
from clavero.vault.seal import OpenSeal

_LOOK_SECONDS = 0.02


class Keeper(Protocol):
    """A child, as far as root keys go."""

    holds: tuple[str, ...]
    seq: int
    asked: Callable[[AddRoot | KeepRoot], None]

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        ...

    def order(self, order: Order) -> None:
        """Tell it something."""
        ...


class Unsealing:
    """Does what the control plane wants of the seal, one wish at a time; the newest wish replaces the one before."""

    def __init__(self, seal: OpenSeal, control: Keeper, workers: Sequence[Keeper]) -> None:
        self._seal = seal
        self._control = control
        self._workers = workers
        self._doing: asyncio.Future[None] | None = None
        control.asked = self.asked

    def asked(self, wish: AddRoot | KeepRoot) -> None:
        """Begin to do it; the control plane is told when it is done. Asking twice does no harm."""
        self.close()
        self._doing = asyncio.ensure_future(self._do(wish))

    def close(self) -> None:
        """Stop waiting for children."""
        if self._doing is not None:
            self._doing.cancel()

    async def _do(self, wish: AddRoot | KeepRoot) -> None:
        try:
            match wish:
                case AddRoot():
                    self._seal.add()
                case KeepRoot(root, seq):
                    await self._until(lambda: all(worker.seq >= seq for worker in self._alive(self._workers)))
                    self._seal.keep_only(root)
        except StartFailure as failure:
            self._control.order(Settled(self._seal.keys.ids, failure.message))
            return
        await self._hand_out()
        self._control.order(Settled(self._seal.keys.ids))

    async def _hand_out(self) -> None:
        everyone, keys = [self._control, *self._workers], self._seal.keys
        for child in everyone:
            child.order(Roots(keys.values))
        await self._until(lambda: all(child.holds == keys.ids for child in self._alive(everyone)))

    def _alive(self, children: Sequence[Keeper]) -> list[Keeper]:
        """One that is not running gets everything when it starts."""
        return [child for child in children if child.pid is not None]

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():  # noqa: ASYNC110 - children report in many ways; looking is one
            await asyncio.sleep(_LOOK_SECONDS)
