"""Opening the vault at the start of the control plane: its rows are made once, and ever after opened or refused.

Nothing is written before the root key has proved to be the right one.
"""

from msgspec import Struct

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.vault import Vault
from clavero.domain.access import SYSTEM
from clavero.domain.credentials import Credential
from clavero.domain.keys import Key
from clavero.domain.names import DEFAULT_RULE, NameRule
from clavero.domain.sealing import SealedKey
from clavero.domain.startup import StartFailure
from clavero.ports.clock import Clock, Dice
from clavero.ports.store import Store
from clavero.ports.unsealer import Unsealer
from clavero.vault.box import CannotOpen
from clavero.vault.fingerprint import Fingerprints
from clavero.vault.keyring import Keyring, RootKeys


@operation("vault.create")
async def create_vault(change: Changing, *, rows: tuple[SealedKey, ...]) -> tuple[SealedKey, ...]:
    """Keep the first rows of a vault; those that are there where somebody else was faster."""
    known = await change.find(SealedKey)
    if known:
        return tuple(known)
    for row in rows:
        await change.put(row)
    return rows


class Tools(Struct, frozen=True):
    """What a desk works with, besides its vault."""

    store: Store
    clock: Clock
    dice: Dice
    names: NameRule = DEFAULT_RULE


async def open_desk(tools: Tools, unsealer: Unsealer, home: str = "") -> Desk:
    """The desk of the control plane over a store, its vault open; `home` names the data directory of the seal.

    StartFailure: `wrong_root_key`, or `vault_damaged` where rows of the vault are missing or altered.
    """
    roots = RootKeys.of(unsealer.roots)
    async with tools.store.read() as look:
        rows = tuple(await look.find(SealedKey))
        used = bool(rows or await look.find(Credential) or await look.find(Key))
    if used:
        return _desk(tools, unsealer, home, _opened(roots, rows))
    fresh = Keyring.create(roots.keys[0], tools.dice.token, tools.clock.wall_ns())
    desk = _desk(tools, unsealer, home, _opened(roots, fresh))
    kept = await perform(desk, SYSTEM, create_vault, rows=fresh)
    return desk if kept == fresh else _desk(tools, unsealer, home, _opened(roots, kept))


def _desk(tools: Tools, unsealer: Unsealer, home: str, keyring: Keyring) -> Desk:
    vault = Vault(unsealer, tools.dice.token, home, keyring)
    return Desk(tools.store, tools.clock, tools.dice, vault, Fingerprints(keyring.peppers()), tools.names)


def _opened(roots: RootKeys, rows: tuple[SealedKey, ...]) -> Keyring:
    try:
        return Keyring.open(roots, rows)
    except CannotOpen as why:
        fix = "restore the database from a backup. Nothing was changed."
        raise StartFailure("vault_damaged", f"the vault does not open: {why}", fix) from None
