"""The audit trail: its newest rows, and whether all of it is as it was written."""

from typing import Annotated

import msgspec
from fastapi import Depends
from msgspec.structs import asdict

from clavero.control import audit
from clavero.control.checkpoints import prove, signed_by
from clavero.domain.audit import AuditRow
from clavero.domain.checkpoints import Flaw
from clavero.domain.refusals import InvalidValue
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import View, exact

routes = router("audit")
Reader = Annotated[Caller, Depends(Needs("audit.read"))]
_MOST = 1000


class RowView(View):
    """Who did what to which object; digests of it before and after, and the hash that binds the row to the last."""

    seq: int
    at: str
    actor: str
    actor_kind: str
    session: str
    level: str
    address: str
    action: str
    object_kind: str
    object_id: str
    before: str
    after: str
    reason: str
    request_id: str
    previous: str
    hash: str


class ExactRowView(RowView):
    """A row with its time in nanoseconds as text: what its hash is of."""

    at_ns: str


class RowsView(View):
    """Rows of the audit trail, newest first."""

    rows: list[RowView]


class ProofView(View):
    """How many rows were read, how many of them a witness vouches for, and the first that is not as it was written.

    `first_bad` and `flaw` are null where all are; `witness` names the one that is bad itself. `restored` are the rows
    that say the database was put back from a backup: what a later row replaced is not there any more.
    """

    rows: int
    signed: int
    first_bad: int | None
    flaw: Flaw | None
    witness: str
    restored: list[int]


class CheckpointView(View):
    """A checkpoint as a witness keeps it; `at_ns` is a text, since few programs read such numbers whole."""

    seq: int
    at_ns: str
    instance: str
    epoch: int
    hashes: list[str]
    previous: str
    signer: str
    signature: str


class PageView(View):
    """Rows behind `after`, oldest first; `next` is the `after` of the next page, null on the last."""

    rows: list[ExactRowView]
    next: int | None


class CheckpointsView(View):
    """What was signed, oldest first, and the public keys that are to be believed."""

    signers: list[str]
    checkpoints: list[CheckpointView]


@routes.get("/audit")
async def list_rows(caller: Reader, limit: int = 50) -> RowsView:
    """The newest rows."""
    if not 1 <= limit <= _MOST:
        raise InvalidValue("limit", f"from 1 to {_MOST}", "50")
    rows = await audit.newest(caller.desk, limit)
    await audit.note_reading(caller.desk, caller.actor, "list")
    return RowsView(rows=[_view(row) for row in rows])


@routes.get("/audit/verify")
async def verify(caller: Reader) -> ProofView:
    """Walk the chain of hashes from its first row, and hold it against what was signed."""
    proof = await prove(caller.desk, caller.facts.witnesses)
    await audit.note_reading(caller.desk, caller.actor, "verify")
    finding = proof.finding
    return ProofView(
        rows=proof.rows,
        signed=proof.signed,
        first_bad=finding.row if finding else None,
        flaw=finding.flaw if finding else None,
        witness=proof.witness,
        restored=list(proof.restored),
    )


@routes.get("/audit/rows")
async def page(caller: Reader, after: int = 0, limit: int = _MOST) -> PageView:
    """Rows in their order, for an export."""
    if not 1 <= limit <= _MOST or after < 0:
        raise InvalidValue("limit", f"from 1 to {_MOST}, after at least 0", str(_MOST))
    rows = await audit.page(caller.desk, after, limit)
    await audit.note_reading(caller.desk, caller.actor, "export")
    views = [ExactRowView(at_ns=str(row.at_ns), **_view(row).model_dump()) for row in rows]
    return PageView(rows=views, next=rows[-1].seq if len(rows) == limit else None)


@routes.get("/audit/checkpoints")
async def checkpoints(caller: Reader) -> CheckpointsView:
    """What the first witness keeps, for an export."""
    signers, kept = await signed_by(caller.desk, caller.facts.witnesses)
    views = [CheckpointView(**(msgspec.to_builtins(one) | {"at_ns": str(one.at_ns)})) for one in kept]
    return CheckpointsView(signers=signers, checkpoints=views)


def _view(row: AuditRow) -> RowView:
    facts = asdict(row)
    return RowView(at=exact(facts.pop("at_ns")), **facts)
