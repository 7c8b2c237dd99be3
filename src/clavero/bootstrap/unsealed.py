"""The vault as a worker has it: keys and cells are read one after the other, while a re-key may come in between.

A cell that was read just before its key was destroyed does not open; by then it is sealed under another one, so both
are read again. Nothing is sealed here.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from clavero.domain.credentials import Credential, CredentialState
from clavero.domain.sealing import SealedKey
from clavero.domain.secret import Secret
from clavero.ports.publication import Publication
from clavero.vault.barrier import Barrier
from clavero.vault.box import CannotOpen, Random
from clavero.vault.columns import credential_cell
from clavero.vault.keyring import Keyring, RootKeys

_LOOKS = 5
_PAUSE_SECONDS = 0.02
Say = Callable[..., None]


class Unsealed:
    """The root keys that a worker was handed, and what they open."""

    def __init__(self, publication: Publication, random: Random, roots: Sequence[bytes], say: Say) -> None:
        self._publication = publication
        self._random = random
        self._roots = RootKeys.of(roots)
        self._say = say
        self._keyring: Keyring | None = None

    def take_roots(self, roots: Sequence[bytes]) -> tuple[str, ...]:
        """Hold these root keys from now on; returns their names."""
        self._roots = RootKeys.of(roots)
        return self._roots.ids

    def peppers(self) -> dict[int, bytes]:
        """What virtual keys are hashed with, by version."""
        return self._keyring.peppers() if self._keyring else {}

    def read(self, credentials: Iterable[Credential]) -> list[Credential]:
        """Read the keys anew, blocking; these credentials as they are by then, so that all open that can.

        `WrongRootKey` or `CannotOpen` where the keys do not open, which leaves those that were read before.
        """
        found = list(credentials)
        for _ in range(_LOOKS):
            self._keyring = Keyring.open(self._roots, self._publication.every(SealedKey))
            if not any(one.state is CredentialState.ACTIVE and isinstance(self._try(one), str) for one in found):
                break
            time.sleep(_PAUSE_SECONDS)
            found = list(self._publication.fetch(Credential, [one.id for one in found]))
        return found

    def open(self, credential: Credential) -> Secret | None:
        """The secret of a credential; None where it does not open, which is logged."""
        opened = self._try(credential)
        if isinstance(opened, Secret):
            return opened
        self._say("credential_cannot_open", "error", credential=credential.id, why=opened)
        return None

    def _try(self, credential: Credential) -> Secret | str:
        """The secret, or why there is none."""
        if self._keyring is None:
            return "the vault was not read yet"
        try:
            return Barrier(self._keyring, self._random).open(credential.sealed, credential_cell(credential))
        except CannotOpen as why:
            return str(why)
