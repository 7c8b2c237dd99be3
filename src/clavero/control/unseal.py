"""Opening the vault at the start of the control plane: its rows are made once, and ever after opened or refused.

Nothing is written before the root key has proved to be the right one.
"""

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.domain.access import SYSTEM
from clavero.domain.credentials import Credential
from clavero.domain.keys import Key
from clavero.domain.names import DEFAULT_RULE, NameRule
from clavero.domain.sealing import SealedKey
from clavero.domain.startup import StartFailure
from clavero.ports import Clock, Dice, Store
from clavero.vault.barrier import Barrier
from clavero.vault.box import CannotOpen
from clavero.vault.fingerprint import Fingerprints
from clavero.vault.keyring import Keyring, RootKey


@operation("vault.create")
async def create_vault(change: Changing, *, rows: tuple[SealedKey, ...]) -> tuple[SealedKey, ...]:
    """Keep the first rows of a vault; those that are there where somebody else was faster."""
    known = await change.find(SealedKey)
    if known:
        return tuple(known)
    for row in rows:
        await change.put(row)
    return rows


async def open_desk(store: Store, clock: Clock, dice: Dice, root: RootKey, names: NameRule = DEFAULT_RULE) -> Desk:
    """The desk of the control plane over a store, its vault open.

    StartFailure: `wrong_root_key`, or `vault_damaged` where rows of the vault are missing or altered.
    """
    async with store.read() as look:
        rows = tuple(await look.find(SealedKey))
        used = bool(rows or await look.find(Credential) or await look.find(Key))
    if used:
        return _desk(store, clock, dice, _opened(root, rows), names)
    fresh = Keyring.create(root, dice.token, clock.wall_ns())
    desk = _desk(store, clock, dice, _opened(root, fresh), names)
    kept = await perform(desk, SYSTEM, create_vault, rows=fresh)
    return desk if kept == fresh else _desk(store, clock, dice, _opened(root, kept), names)


def _desk(store: Store, clock: Clock, dice: Dice, keyring: Keyring, names: NameRule) -> Desk:
    return Desk(store, clock, dice, Barrier(keyring, dice.token), Fingerprints(keyring.peppers()), names)


def _opened(root: RootKey, rows: tuple[SealedKey, ...]) -> Keyring:
    try:
        return Keyring.open(root, rows)
    except CannotOpen as why:
        fix = "restore the database from a backup. Nothing was changed."
        raise StartFailure("vault_damaged", f"the vault does not open: {why}", fix) from None
