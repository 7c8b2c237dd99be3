"""What stands between a secret and the database: nothing goes through but sealed, for one cell, for one origin.

The storage is not trusted: whoever can write rows can neither read a secret, nor move one to another row, nor have it
sent to another host. An envelope is

    "CLV1" (4) | tenant key version (2) | root-key id (7) | wrapped data key (92) | sealed secret (60 + its length)

where both boxes (`box`) bind format, purpose, tenant, secret id, version, root-key id, tenant key version and origin.
The data key is made for this one version of a secret, and the tenant key wraps it.
"""

from clavero.domain.secret import Secret
from clavero.vault.box import KEY, OVERHEAD, CannotOpen, Random, lock, spell, unlock
from clavero.vault.columns import Cell
from clavero.vault.keyring import Keyring

_FORMAT = "clavero/envelope/1"
_MAGIC = b"CLV1"
_ROOT = slice(6, 13)
_WRAPPED = slice(13, 13 + OVERHEAD + KEY)


class Barrier:
    """Seals and opens the cells of the sealed columns."""

    def __init__(self, keyring: Keyring, random: Random) -> None:
        self._keyring = keyring
        self._random = random

    def __repr__(self) -> str:
        return f"Barrier({self._keyring.root})"

    def is_current(self, envelope: bytes, cell: Cell) -> bool:
        """Whether an envelope is sealed under the newest root key and the newest key of its tenant."""
        newest = self._keyring.root, self._keyring.newest_tenant_version(cell.tenant)
        return sealed_under(envelope) == newest

    def seal_again(self, envelope: bytes, cell: Cell) -> bytes:
        """The same secret under the newest keys, with a data key of its own; `CannotOpen` for what is not of here."""
        return self.seal(self.open(envelope, cell), cell)

    def seal(self, secret: Secret, cell: Cell) -> bytes:
        """The envelope of a secret for this cell; `CannotOpen` where the tenant has no key."""
        root, version = self._keyring.root, self._keyring.newest_tenant_version(cell.tenant)
        tenant_key, data_key = self._keyring.tenant_key(cell.tenant, version), self._random(KEY)
        wrapped = lock(tenant_key, data_key, _place("wrap", cell, root, version), self._random)
        sealed = lock(data_key, secret.reveal().encode(), _place("secret", cell, root, version), self._random)
        return _MAGIC + version.to_bytes(2) + root.encode() + wrapped + sealed

    def open(self, envelope: bytes, cell: Cell) -> Secret:
        """The secret, where this envelope was sealed for this cell; `CannotOpen` for anything else."""
        if len(envelope) < _WRAPPED.stop + OVERHEAD or not envelope.startswith(_MAGIC):
            raise CannotOpen("it is no envelope, or was cut")
        root, version = sealed_under(envelope)
        if root not in self._keyring.roots:
            raise CannotOpen(f"it was sealed under root key {root}")
        tenant_key = self._keyring.tenant_key(cell.tenant, version)
        data_key = unlock(tenant_key, envelope[_WRAPPED], _place("wrap", cell, root, version))
        plain = unlock(data_key, envelope[_WRAPPED.stop :], _place("secret", cell, root, version))
        return Secret(plain.decode())


def sealed_under(envelope: bytes) -> tuple[str, int]:
    """What an envelope says of itself: the name of its root key, and the version of its tenant key."""
    return envelope[_ROOT].decode("ascii", "replace"), int.from_bytes(envelope[4:6])


def _place(layer: str, cell: Cell, root: str, tenant_version: int) -> bytes:
    return spell(_FORMAT, layer, cell.purpose, cell.tenant, cell.id, cell.version, root, tenant_version, cell.origin)
