"""Reading the audit trail, and proving that it is as it was written."""

from msgspec import Struct

from clavero.control.commit import Desk
from clavero.domain.audit import BEGINNING, AuditRow, first_bad

_PAGE = 1000


class Proof(Struct, frozen=True):
    """How many rows were read, and the first that is not as it was written; None where all are."""

    rows: int
    first_bad: int | None


async def verify(desk: Desk) -> Proof:
    """Walk the chain from its first row."""
    count, previous = 0, BEGINNING
    async with desk.store.read() as look:
        while True:
            rows = [AuditRow(**row) for row in await look.rows("audit_since", after=count, most=_PAGE)]
            bad = first_bad(rows, previous, count)
            if bad is not None or not rows:
                return Proof(count + len(rows), bad)
            count, previous = rows[-1].seq, rows[-1].hash


async def newest(desk: Desk, most: int = 50) -> list[AuditRow]:
    """The newest rows, newest first."""
    async with desk.store.read() as look:
        return [AuditRow(**row) for row in await look.rows("audit_newest", most=max(0, min(most, _PAGE)))]
