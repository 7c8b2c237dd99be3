"""Reading the audit trail. Who reads it is kept in it as well."""

from clavero.control.commit import Desk, keep_once
from clavero.domain.access import Actor
from clavero.domain.audit import AuditRow

READ = "audit.read"  # the action of the row that keeps who read, and how
_PAGE = 1000


async def note_reading(desk: Desk, actor: Actor, how: str) -> None:
    """Keep who reads, and how; a program of this machine that only watches is nobody."""
    if actor.kind != "system":
        await keep_once(desk, actor, READ, how)


async def page(desk: Desk, after: int, most: int) -> list[AuditRow]:
    """Rows behind one, oldest first."""
    async with desk.store.read() as look:
        return [AuditRow(**row) for row in await look.rows("audit_since", after=after, most=min(most, _PAGE))]


async def newest(desk: Desk, most: int = 50) -> list[AuditRow]:
    """The newest rows, newest first."""
    async with desk.store.read() as look:
        return [AuditRow(**row) for row in await look.rows("audit_newest", most=max(0, min(most, _PAGE)))]
