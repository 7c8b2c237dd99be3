"""The keys under the root key: one for each organisation, the peppers of virtual keys, the check value.

Root key (who unlocks it: `seal`) -> tenant key -> data key of one secret version (in its own envelope: `barrier`). The
control plane creates and keeps the rows; a worker opens the same rows with the root key it was handed. No I/O here.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from msgspec.structs import replace

from clavero.domain.organisation import ORGANISATION
from clavero.domain.sealing import Purpose, SealedKey
from clavero.domain.startup import StartFailure
from clavero.vault.box import KEY, CannotOpen, Random, lock, spell, unlock

_FORMAT = "clavero/key/1"
_CHECK_VALUE = b"clavero: this is the root key of this vault"


class RootKey:
    """The one key that is not sealed by another: 32 bytes and a short public name, `rk_7f3a`."""

    __slots__ = ("id", "value")

    def __init__(self, value: bytes) -> None:
        if len(value) != KEY:
            raise ValueError("a root key has 32 bytes")
        self.value = value
        self.id = f"rk_{sha256(b'clavero/root-key-id/1' + value).hexdigest()[:4]}"

    def __repr__(self) -> str:
        return f"RootKey({self.id})"

    def __reduce__(self) -> str:
        raise TypeError("a root key is not pickled")


class WrongRootKey(StartFailure):
    """The vault was sealed under another root key than the one that was handed in."""

    def __init__(self, needed: str, given: str) -> None:
        message = f"the vault needs root key {needed}; this is {given}"
        if needed == given:  # two keys in 65,536 share a name
            message = f"the vault needs another root key than this one, both named {given}"
        super().__init__("wrong_root_key", message, f"restore {needed}. Nothing was changed.")
        self.needed = needed
        self.given = given


class Keyring:
    """The keys of the vault, unsealed. Made by `Keyring.open`."""

    def __init__(self, root: RootKey, rows: tuple[SealedKey, ...], keys: Mapping[str, bytes]) -> None:
        self._root = root
        self._keys = dict(keys)
        self.rows = rows

    def __repr__(self) -> str:
        return f"Keyring({self._root.id}, {len(self._keys)} keys)"

    @staticmethod
    def create(root: RootKey, random: Random, now_ns: int, tenant: str = ORGANISATION) -> tuple[SealedKey, ...]:
        """The first rows of a new vault: check value, tenant key, pepper."""
        return (
            _sealed(root, Purpose.CHECK, 1, _CHECK_VALUE, random=random, now_ns=now_ns),
            _sealed(root, Purpose.TENANT, 1, random(KEY), random=random, now_ns=now_ns, tenant=tenant),
            _sealed(root, Purpose.PEPPER, 1, random(KEY), random=random, now_ns=now_ns),
        )

    @classmethod
    def open(cls, root: RootKey, rows: Iterable[SealedKey]) -> "Keyring":
        """Unseal the rows of a vault.

        `WrongRootKey` where they belong to another root key, `CannotOpen` where a row is missing or was tampered with.
        """
        kept = tuple(sorted(rows, key=lambda row: row.id))
        check = next((row for row in kept if row.purpose is Purpose.CHECK), None)
        if check is None:
            raise CannotOpen("the vault has no check value")
        for row in (check, *kept):
            if row.root != root.id:
                raise WrongRootKey(row.root, root.id)
        try:
            proved = unlock(root.value, check.sealed, _place(check)) == _CHECK_VALUE
        except CannotOpen:
            raise WrongRootKey(check.root, root.id) from None
        if not proved:
            raise CannotOpen("the check value of the vault was replaced")
        return cls(root, kept, {row.id: _opened(root, row) for row in kept})

    @property
    def root(self) -> str:
        """The name of the root key."""
        return self._root.id

    def tenant_key(self, tenant: str, version: int) -> bytes:
        """The key that wraps the data keys of an organisation; `CannotOpen` where it has none of this version."""
        try:
            return self._keys[row_id(Purpose.TENANT, version, tenant)]
        except KeyError:
            raise CannotOpen(f"there is no tenant key {version} of {tenant}") from None

    def newest_tenant_version(self, tenant: str) -> int:
        """The version that new secrets of an organisation are wrapped with; 0 where it has no key."""
        return max(
            (row.version for row in self.rows if (row.purpose, row.tenant) == (Purpose.TENANT, tenant)), default=0
        )

    def peppers(self) -> dict[int, bytes]:
        """The peppers by version."""
        return {row.version: self._keys[row.id] for row in self.rows if row.purpose is Purpose.PEPPER}

    def signing_keys(self) -> dict[int, bytes]:
        """The seeds of the keys that sign checkpoints, by version."""
        return {row.version: self._keys[row.id] for row in self.rows if row.purpose is Purpose.SIGNING}

    def add(self, purpose: Purpose, random: Random, now_ns: int, tenant: str = "") -> SealedKey:
        """A new version of a key, to be stored by the caller; it works here at once."""
        versions = [row.version for row in self.rows if (row.purpose, row.tenant) == (purpose, tenant)]
        key, version = random(KEY), max(versions, default=0) + 1
        row = _sealed(self._root, purpose, version, key, random=random, now_ns=now_ns, tenant=tenant)
        self._keys[row.id] = key
        self.rows = (*self.rows, row)
        return row


def row_id(purpose: Purpose, version: int, tenant: str = "") -> str:
    """The id of a row of the vault."""
    return f"{purpose}/{tenant}/{version}"


def _sealed(  # noqa: PLR0913 - what one row consists of
    root: RootKey, purpose: Purpose, version: int, key: bytes, *, random: Random, now_ns: int, tenant: str = ""
) -> SealedKey:
    row = SealedKey(
        id=row_id(purpose, version, tenant),
        purpose=purpose,
        tenant=tenant,
        version=version,
        root=root.id,
        sealed=b"",
        created_ns=now_ns,
    )
    return replace(row, sealed=lock(root.value, key, _place(row), random))


def _opened(root: RootKey, row: SealedKey) -> bytes:
    try:
        return unlock(root.value, row.sealed, _place(row))
    except CannotOpen as why:
        raise CannotOpen(f"key {row.id} of the vault does not open: {why}") from None


def _place(row: SealedKey) -> bytes:
    return spell(_FORMAT, row.purpose, row.tenant, row.id, row.version, row.root)
