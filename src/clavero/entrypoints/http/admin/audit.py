"""The audit trail: its newest rows, and whether all of it is as it was written."""

from typing import Annotated

from fastapi import Depends
from msgspec.structs import asdict

from clavero.control import audit
from clavero.domain.audit import AuditRow
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


class RowsView(View):
    """Rows of the audit trail, newest first."""

    rows: list[RowView]


class ProofView(View):
    """How many rows were read, and the first that is not as it was written; null where all are."""

    rows: int
    first_bad: int | None


@routes.get("/audit")
async def list_rows(caller: Reader, limit: int = 50) -> RowsView:
    """The newest rows."""
    if not 1 <= limit <= _MOST:
        raise InvalidValue("limit", f"from 1 to {_MOST}", "50")
    return RowsView(rows=[_view(row) for row in await audit.newest(caller.desk, limit)])


@routes.get("/audit/verify")
async def verify(caller: Reader) -> ProofView:
    """Walk the chain of hashes from its first row."""
    proof = await audit.verify(caller.desk)
    return ProofView(rows=proof.rows, first_bad=proof.first_bad)


def _view(row: AuditRow) -> RowView:
    facts = asdict(row)
    return RowView(at=exact(facts.pop("at_ns")), **facts)
