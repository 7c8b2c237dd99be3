"""The vault: what it is sealed with, and moving it to new keys. No key and no secret passes here."""

from typing import Annotated

from fastapi import Depends, status

from clavero.control import rekey, vault_status
from clavero.domain.sealing import Rekey
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Names, Reasoned, View, moment

routes = router("vault")
Reader = Annotated[Caller, Depends(Needs("vault.read"))]
Mover = Annotated[Caller, Depends(Needs("vault.rekey"))]


class TenantView(View):
    """The newest key of an organisation; two versions while it moves."""

    tenant: str
    version: int
    versions: int
    since: str | None


class RekeyView(View):
    """A move to new keys: `moved` of `cells` sealed values are under them."""

    id: str
    root: bool
    tenants: list[str]
    state: str
    before: str
    after: str
    cells: int
    moved: int
    begun_at: str | None
    ended_at: str | None


class VaultView(View):
    """Root keys go by their names. `cells` and `keys` are counts by root key; `check` is "ok" or what is wrong.

    `unreadable` names the sealed values that do not open; null where nobody tried.
    """

    seal: str
    seal_since: str | None
    held: list[str]
    root_key: str
    root_key_since: str | None
    tenants: list[TenantView]
    cells: dict[str, int]
    keys: dict[str, int]
    check: str
    unreadable: list[str] | None
    rekey: RekeyView | None
    stuck: str


class RekeyBody(Reasoned):
    """What to move to new keys."""

    root: bool = False
    tenants: Names = ()


@routes.get("/vault")
async def show_vault(caller: Reader, verify: bool = False) -> VaultView:  # noqa: FBT001, FBT002 - a query's word
    """Seal, keys by name, counts, and the move under way or the last one; with `verify` every value is opened once."""
    return await _shown(caller, verify=verify)


@routes.post("/vault/rekey", status_code=status.HTTP_202_ACCEPTED)
async def start_rekey(caller: Mover, body: RekeyBody) -> VaultView:
    """Begin to move to new keys; it goes on by itself and after any death, and asking again does no harm."""
    wanted = rekey.Wanted(root=body.root, tenants=body.tenants)
    await rekey.start(caller.desk, caller.actor, wanted, body.reason)
    return await _shown(caller, verify=False)


async def _shown(caller: Caller, *, verify: bool) -> VaultView:
    found = await vault_status.read_status(caller.desk, verify=verify)
    return VaultView(
        seal=found.seal,
        seal_since=moment(found.seal_since_ns),
        held=list(found.held),
        root_key=found.root,
        root_key_since=moment(found.root_since_ns),
        tenants=[
            TenantView(tenant=one.tenant, version=one.version, versions=one.versions, since=moment(one.since_ns))
            for one in found.tenants
        ],
        cells=dict(found.cells),
        keys=dict(found.keys),
        check=found.check or "ok",
        unreadable=None if found.unreadable is None else list(found.unreadable),
        rekey=_rekey(found.rekey, found.outdated) if found.rekey else None,
        stuck=found.stuck,
    )


def _rekey(move: Rekey, left: int) -> RekeyView:
    begun = bool(move.after) or not move.root  # before that, nothing could be moved
    return RekeyView(
        id=move.id,
        root=move.root,
        tenants=list(move.tenants),
        state=move.state.value,
        before=move.before,
        after=move.after,
        cells=move.cells,
        moved=max(0, move.cells - left) if begun else 0,
        begun_at=moment(move.begun_ns),
        ended_at=moment(move.ended_ns),
    )
