"""What the vault is sealed with, and what is left of a move to new keys. Nothing of it is secret."""
# ruff: noqa: ARG001 - the reason is the audit's

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.find import Look
from clavero.control.rekey import outdated, sealed_cells
from clavero.domain.access import SYSTEM
from clavero.domain.refusals import VaultClosed
from clavero.domain.sealing import Purpose, Rekey, RekeyState, SealedKey, SealNote
from clavero.vault.barrier import sealed_under
from clavero.vault.box import CannotOpen


class TenantKey(Struct, frozen=True):
    """The newest key of an organisation, and how many versions there are while it moves."""

    tenant: str
    version: int
    versions: int
    since_ns: int


class VaultStatus(Struct, frozen=True, kw_only=True):
    """The vault as of one look. Counts by name of the root key: `cells` hold secrets, `keys` are the vault's own."""

    seal: str
    seal_since_ns: int
    held: tuple[str, ...]  # the root keys in the seal, oldest first
    root: str  # what new things are sealed under; "" where the vault does not open
    root_since_ns: int
    tenants: tuple[TenantKey, ...]
    cells: Mapping[str, int]
    keys: Mapping[str, int]
    outdated: int  # cells that a re-key has still to move
    check: str  # "" where every check value is right, else what is wrong
    unreadable: tuple[str, ...] | None  # ids of cells that do not open; None where nobody tried
    rekey: Rekey | None  # the one under way, else the last
    stuck: str


@operation("vault.seal")
async def note_seal(change: Changing, *, reason: str = "") -> SealNote:
    """Note how the root keys of this data directory are wrapped by now."""
    vault = change.desk.vault
    note = SealNote(id=vault.home, kind=vault.unsealer.kind, since_ns=change.now_ns)
    await change.put(note)
    return note


async def keep_seal_known(desk: Desk) -> None:
    """At a start: an audit row where the seal is another than at the last one, since it is moved while nothing runs."""
    async with desk.store.read() as look:
        known = await look.get(SealNote, desk.vault.home)
    kind = desk.vault.unsealer.kind
    if known is None or known.kind != kind:
        await perform(desk, SYSTEM, note_seal, reason=f"{known.kind} to {kind}" if known else kind)


async def read_status(desk: Desk, *, verify: bool = False) -> VaultStatus:
    """The vault as it is; with `verify` every cell is opened, which shows nothing of it."""
    vault = desk.vault
    async with desk.store.read() as look:
        rows = await look.find(SealedKey)
        note = await look.get(SealNote, vault.home)
        moves = await look.find(Rekey)
        check, root, left, unreadable = "", "", 0, None
        try:
            root = (await vault.keyring(look)).root
            left = len(await outdated(look, vault))
            unreadable = await _unreadable(desk, look) if verify else None
        except VaultClosed as why:
            check = why.message
        cells = Counter(sealed_under(one.envelope)[0] for one in await sealed_cells(look))
    newest = max((row for row in rows if row.purpose is Purpose.CHECK), key=lambda row: row.version, default=None)
    moving = [one for one in moves if one.state is not RekeyState.DONE]
    return VaultStatus(
        seal=vault.unsealer.kind,
        seal_since_ns=note.since_ns if note else 0,
        held=vault.roots.ids,
        root=root,
        root_since_ns=newest.created_ns if newest else 0,
        tenants=_tenants(rows),
        cells=dict(sorted(cells.items())),
        keys=dict(sorted(Counter(row.root for row in rows if row.purpose is not Purpose.CHECK).items())),
        outdated=left,
        check=check,
        unreadable=unreadable,
        rekey=next(reversed(moving or moves), None),
        stuck=vault.stuck,
    )


async def _unreadable(desk: Desk, look: Look) -> tuple[str, ...]:
    barrier, found = await desk.vault.barrier(look), []
    for one in await sealed_cells(look):
        try:
            barrier.open(one.envelope, one.cell)
        except CannotOpen:
            found.append(one.cell.id)
    return tuple(found)


def _tenants(rows: list[SealedKey]) -> tuple[TenantKey, ...]:
    by_name: dict[str, list[SealedKey]] = {}
    for row in rows:
        if row.purpose is Purpose.TENANT:
            by_name.setdefault(row.tenant, []).append(row)
    newest = {tenant: max(found, key=lambda row: row.version) for tenant, found in by_name.items()}
    return tuple(
        TenantKey(tenant, newest[tenant].version, len(found), newest[tenant].created_ns)
        for tenant, found in sorted(by_name.items())
    )
