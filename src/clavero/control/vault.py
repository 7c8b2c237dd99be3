"""The vault as the control plane has it: what is sealed is sealed under the keys of the same transaction.

Another control plane on the same database may have moved the vault to new keys since the last look, and destroyed the
old ones. So the rows are read with every use, and opened again where they differ.
"""

import asyncio

from clavero.control.find import Look
from clavero.domain.refusals import VaultClosed
from clavero.domain.sealing import SealedKey
from clavero.domain.startup import StartFailure
from clavero.ports.unsealer import Unsealer
from clavero.vault.barrier import Barrier
from clavero.vault.box import CannotOpen, Random
from clavero.vault.keyring import Keyring, RootKeys


class Vault:
    """The keys of the vault, unsealed; `home` names the data directory whose seal it is.

    `begun` is set when a move to new keys was begun; `stuck` is why the one under way does not go on, "" while it does.
    """

    def __init__(self, unsealer: Unsealer, random: Random, home: str, keyring: Keyring) -> None:
        self.unsealer = unsealer
        self.home = home
        self.begun = asyncio.Event()
        self.stuck = ""
        self._random = random
        self._keyring = keyring

    def __repr__(self) -> str:
        return f"Vault({self._keyring})"

    @property
    def roots(self) -> RootKeys:
        """The root keys that this process holds."""
        return RootKeys.of(self.unsealer.roots)

    async def keyring(self, look: Look) -> Keyring:
        """The keys as this look has them; `VaultClosed` where they do not open with the root keys that are here."""
        rows = tuple(sorted(await look.find(SealedKey), key=lambda row: row.id))
        if rows != tuple(sorted(self._keyring.rows, key=lambda row: row.id)):
            try:
                self._keyring = Keyring.open(self.roots, rows)
            except (CannotOpen, StartFailure) as why:
                raise VaultClosed(str(getattr(why, "message", why))) from None
        return self._keyring

    async def barrier(self, look: Look) -> Barrier:
        """What seals and opens cells as of this look."""
        return Barrier(await self.keyring(look), self._random)
