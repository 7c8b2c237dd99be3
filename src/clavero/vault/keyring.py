"""The keys under the root key: one for each organisation, the peppers of virtual keys, the check value.

Root key (who unlocks it: `seal`) -> tenant key -> data key of one secret version (in its own envelope: `barrier`). The
control plane creates and keeps the rows; a worker opens the same rows with the root keys it was handed. No I/O here.

Every root key that a row names has a check value of its own, and the newest check value says under which root key new
things are sealed. There are two while the vault moves from one root key to the next, and one at all other times.
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


class RootKeys:
    """The root keys that a process holds: one, or while the vault moves to a new one both; oldest first."""

    __slots__ = ("keys",)

    def __init__(self, *keys: RootKey) -> None:
        if not keys or len({key.id for key in keys}) < len(keys):
            raise ValueError("root keys have names of their own, and there is at least one")
        self.keys = keys

    @classmethod
    def of(cls, values: Iterable[bytes]) -> "RootKeys":
        """The keys of these values of 32 bytes."""
        return cls(*(RootKey(value) for value in values))

    def __repr__(self) -> str:
        return f"RootKeys({', '.join(self.ids)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RootKeys) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.ids)

    def __reduce__(self) -> str:
        raise TypeError("root keys are not pickled")

    @property
    def ids(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(key.id for key in self.keys)

    @property
    def values(self) -> tuple[bytes, ...]:
        """Their values, for the pipe to a child."""
        return tuple(key.value for key in self.keys)

    def named(self, name: str) -> RootKey | None:
        """The key of this name; None where it is not held."""
        return next((key for key in self.keys if key.id == name), None)

    def with_another(self, random: Random) -> "RootKeys":
        """These and a new one behind them, whose name none of them has."""
        while True:
            made = RootKey(random(KEY))
            if made.id not in self.ids:
                return RootKeys(*self.keys, made)


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

    def __init__(self, roots: RootKeys, rows: tuple[SealedKey, ...], keys: Mapping[str, bytes]) -> None:
        checks = sorted((row for row in rows if row.purpose is Purpose.CHECK), key=lambda row: row.version)
        self._root = next(key for key in roots.keys if key.id == checks[-1].root)
        self._keys = dict(keys)
        self.rows = rows
        self.roots = frozenset(row.root for row in checks)  # what is sealed may name these and no other

    def __repr__(self) -> str:
        return f"Keyring({self._root.id}, {len(self._keys)} keys)"

    @staticmethod
    def create(root: RootKey, random: Random, now_ns: int, tenant: str = ORGANISATION) -> tuple[SealedKey, ...]:
        """The first rows of a new vault: check value, tenant key, pepper."""
        return (
            check_row(root, 1, random, now_ns),
            _sealed(root, Purpose.TENANT, 1, random(KEY), random=random, now_ns=now_ns, tenant=tenant),
            _sealed(root, Purpose.PEPPER, 1, random(KEY), random=random, now_ns=now_ns),
        )

    @classmethod
    def open(cls, root: RootKey | RootKeys, rows: Iterable[SealedKey]) -> "Keyring":
        """Unseal the rows of a vault.

        `WrongRootKey` where they belong to another root key, `CannotOpen` where a row is missing or was tampered with.
        """
        held = root if isinstance(root, RootKeys) else RootKeys(root)
        kept = tuple(sorted(rows, key=lambda row: row.id))
        checks = {row.root: row for row in kept if row.purpose is Purpose.CHECK}
        if not checks:
            raise CannotOpen("the vault has no check value")
        for row in (*checks.values(), *kept):
            if held.named(row.root) is None:
                raise WrongRootKey(row.root, " and ".join(held.ids))
            if row.root not in checks:
                raise CannotOpen(f"the vault has no check value of {row.root}")
        for check in checks.values():
            _prove(held, check)
        return cls(held, kept, {row.id: _opened(held, row) for row in kept})

    @property
    def root(self) -> str:
        """The name of the root key that new things are sealed under."""
        return self._root.id

    def tenant_key(self, tenant: str, version: int) -> bytes:
        """The key that wraps the data keys of an organisation; `CannotOpen` where it has none of this version."""
        try:
            return self._keys[row_id(Purpose.TENANT, version, tenant)]
        except KeyError:
            raise CannotOpen(f"there is no tenant key {version} of {tenant}") from None

    def tenants(self) -> dict[str, int]:
        """Every organisation that has a key, and the version of its newest."""
        named = sorted({row.tenant for row in self.rows if row.purpose is Purpose.TENANT})
        return {tenant: self.newest_tenant_version(tenant) for tenant in named}

    def newest_tenant_version(self, tenant: str) -> int:
        """The version that new secrets of an organisation are wrapped with; 0 where it has no key."""
        return self._newest(Purpose.TENANT, tenant)

    def peppers(self) -> dict[int, bytes]:
        """The peppers by version."""
        return {row.version: self._keys[row.id] for row in self.rows if row.purpose is Purpose.PEPPER}

    def signing_keys(self) -> dict[int, bytes]:
        """The seeds of the keys that sign checkpoints, by version."""
        return {row.version: self._keys[row.id] for row in self.rows if row.purpose is Purpose.SIGNING}

    def add(self, purpose: Purpose, random: Random, now_ns: int, tenant: str = "") -> SealedKey:
        """A new version of a key, to be stored by the caller; it works here at once."""
        key, version = random(KEY), self._newest(purpose, tenant) + 1
        row = _sealed(self._root, purpose, version, key, random=random, now_ns=now_ns, tenant=tenant)
        self._keys[row.id] = key
        self.rows = (*self.rows, row)
        return row

    def check_of(self, root: RootKey, random: Random, now_ns: int) -> SealedKey:
        """The check value that makes another root key the one that new things are sealed under, once it is stored."""
        return check_row(root, self._newest(Purpose.CHECK) + 1, random, now_ns)

    def wrapped_again(self, random: Random) -> tuple[SealedKey, ...]:
        """The rows of older root keys, sealed under the newest: the same keys, so that no hash changes."""
        return tuple(
            _resealed(self._root, row, self._keys[row.id], random)
            for row in self.rows
            if row.purpose is not Purpose.CHECK and row.root != self._root.id
        )

    def _newest(self, purpose: Purpose, tenant: str = "") -> int:
        versions = [row.version for row in self.rows if (row.purpose, row.tenant) == (purpose, tenant)]
        return max(versions, default=0)


def row_id(purpose: Purpose, version: int, tenant: str = "") -> str:
    """The id of a row of the vault."""
    return f"{purpose}/{tenant}/{version}"


def check_row(root: RootKey, version: int, random: Random, now_ns: int) -> SealedKey:
    """The check value of a root key: it opens with this one and no other."""
    return _sealed(root, Purpose.CHECK, version, _CHECK_VALUE, random=random, now_ns=now_ns)


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
    return _resealed(root, row, key, random)


def _resealed(root: RootKey, row: SealedKey, key: bytes, random: Random) -> SealedKey:
    row = replace(row, root=root.id)
    return replace(row, sealed=lock(root.value, key, _place(row), random))


def _prove(held: RootKeys, check: SealedKey) -> None:
    root = held.named(check.root)
    try:
        proved = root is not None and unlock(root.value, check.sealed, _place(check)) == _CHECK_VALUE
    except CannotOpen:
        raise WrongRootKey(check.root, check.root) from None
    if not proved:
        raise CannotOpen("the check value of the vault was replaced")


def _opened(held: RootKeys, row: SealedKey) -> bytes:
    root = held.named(row.root)
    try:
        return unlock(root.value, row.sealed, _place(row)) if root else b""
    except CannotOpen as why:
        raise CannotOpen(f"key {row.id} of the vault does not open: {why}") from None


def _place(row: SealedKey) -> bytes:
    return spell(_FORMAT, row.purpose, row.tenant, row.id, row.version, row.root)
